"""fill.py: the initial data, the same every time."""
import datetime
import random

from .models import Author, Comment, Story, Tag

AUTHORS, TAGS, STORIES, COMMENTS = 100, 20, 2000, 8000
START = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)


def fill():
    chance = random.Random(1)
    Author.objects.bulk_create(
        Author(name='Author %d' % i, joined=START.date() + datetime.timedelta(days=i))
        for i in range(1, AUTHORS + 1))
    Tag.objects.bulk_create(Tag(name='tag%d' % i) for i in range(1, TAGS + 1))
    Story.objects.bulk_create(
        Story(author_id=chance.randint(1, min(i, AUTHORS)), title='Story %d' % i, body='Once upon a time. ' * 10,
              published=START + datetime.timedelta(hours=i), featured=chance.random() < 0.1,
              views=chance.randint(0, 1000))
        for i in range(1, STORIES + 1))
    Story.tags.through.objects.bulk_create(
        Story.tags.through(story_id=i, tag_id=tag)
        for i in range(1, STORIES + 1) for tag in chance.sample(range(1, TAGS + 1), 3))
    Comment.objects.bulk_create(
        Comment(story_id=chance.randint(1, STORIES), author_id=chance.randint(1, AUTHORS),
                text='Comment %d' % i, created=START + datetime.timedelta(minutes=i))
        for i in range(1, COMMENTS + 1))
