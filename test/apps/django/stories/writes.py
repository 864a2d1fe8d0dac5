"""writes.py: what users change, each through a connection of choice; n makes each one different."""
import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from .fill import START
from .models import Author, Comment, Story, Tag

WRITES = []


def write(function):
    WRITES.append(function)
    return function


@write
def comment(using, n):
    story = Story.objects.using(using).filter(featured=True).order_by('-views', 'id')[n % 5]
    new = Comment(story=story, author_id=1 + n % 7, text='new %d' % n, created=START + datetime.timedelta(days=90 + n))
    new.save(using=using)
    return new.id


@write
def count_view(using, n):
    return Story.objects.using(using).filter(pk=1 + n % 50).update(views=F('views') + 100)


@write
def publish(using, n):
    with transaction.atomic(using=using):
        story = Story.objects.using(using).create(
            author_id=1 + n % 50, title='Story new %d' % n, body='', published=START + datetime.timedelta(days=100 + n),
            featured=n % 2 == 0, views=500)
        story.tags.add(*Tag.objects.using(using).order_by('id')[:n % 4])
        return story.id, Story.objects.using(using).count()


@write
def savepoints(using, n):
    """Inner transactions, every other one of which is rolled back."""
    seen = []
    authors = Author.objects.using(using)
    with transaction.atomic(using=using):
        for i in range(4):
            try:
                with transaction.atomic(using=using):
                    authors.filter(pk=1 + (n + i) % 10).update(karma=F('karma') + 1 + i)
                    seen.append(list(authors.filter(pk__lte=10).order_by('id').values_list('karma', flat=True)))
                    if i % 2:
                        Tag.objects.using(using).create(name='tag1')
            except IntegrityError as error:
                seen.append(type(error).__name__)
            seen.append(list(authors.filter(pk__lte=10).order_by('id').values_list('karma', flat=True)))
    return seen


@write
def rolled_back(using, n):
    try:
        with transaction.atomic(using=using):
            Story.objects.using(using).update(views=0)
            seen = Story.objects.using(using).filter(views=0).count()
            raise KeyError
    except KeyError:
        return seen, Story.objects.using(using).filter(views=0).count()


@write
def bulk(using, n):
    Comment.objects.using(using).bulk_create(
        Comment(story_id=1 + i, text='bulk %d' % n, created=START) for i in range(20))
    stories = list(Story.objects.using(using).filter(pk__lte=20).order_by('id'))
    for story in stories:
        story.views += story.id
    Story.objects.using(using).bulk_update(stories, ['views'])
    return Comment.objects.using(using).filter(text='bulk %d' % n).count()


@write
def cascade(using, n):
    return Author.objects.using(using).order_by('karma', '-id')[n % 3].delete()


@write
def locked(using, n):
    with transaction.atomic(using=using):
        story = Story.objects.using(using).select_for_update().order_by('id')[n % 20]
        story.title += '!'
        story.save(update_fields=['title'])
    return story.title


@write
def get_or_create(using, n):
    tag, created = Tag.objects.using(using).get_or_create(name='tag of %d' % (n % 3))
    tag.story_set.set(Story.objects.using(using).order_by('id')[n % 10:n % 10 + 5])
    return tag.id, created, tag.story_set.count()
