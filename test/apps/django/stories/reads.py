"""reads.py: what pages ask for, each through the ORM and a connection of choice."""
import datetime

from django.core.paginator import Paginator
from django.db import connections, transaction
from django.db.models import Avg, Count, Exists, F, Max, OuterRef, Prefetch, Q, Subquery, Sum, Window
from django.db.models.functions import Lower, Rank, TruncMonth

from .fill import START
from .models import Author, Comment, Story, Tag

READS = []


def read(function):
    READS.append(function)
    return function


@read
def select_related(using, n):
    stories = Story.objects.using(using).select_related('author').order_by('-published')[:20]
    return [(s.id, s.title, s.author.name, s.views) for s in stories]


@read
def prefetch_related(using, n):
    comments = Comment.objects.select_related('author').order_by('id')
    stories = Story.objects.using(using).filter(featured=True).order_by('-views', 'id')[:10]
    return [(s.title, sorted(t.name for t in s.tags.all()),
             [(c.text, c.author and c.author.name) for c in s.comment_set.all()])
            for s in stories.prefetch_related('tags', Prefetch('comment_set', comments))]


@read
def annotate(using, n):
    authors = Author.objects.using(using).annotate(
        stories=Count('story', distinct=True), seen=Sum('story__views'))
    return list(authors.filter(stories__gt=5).order_by('-seen', 'id').values('name', 'stories', 'seen')[:15])


@read
def aggregate(using, n):
    return Story.objects.using(using).aggregate(
        Count('id'), Sum('views'), Avg('views'), Max('published'), few=Count('id', Q(views__lt=100)))


@read
def pagination(using, n):
    page = Paginator(Story.objects.using(using).order_by('-views', 'id'), 25).page(1 + n % 40)
    return page.paginator.count, page.has_next(), [s.title for s in page]


@read
def by_date(using, n):
    stories = Story.objects.using(using)
    day = START + datetime.timedelta(days=n % 25)
    return (list(stories.filter(published__date=day.date()).order_by('id').values_list('title', flat=True)),
            stories.filter(published__range=(day, day + datetime.timedelta(days=3))).count(),
            list(stories.dates('published', 'month')),
            list(stories.annotate(month=TruncMonth('published')).values('month')
                 .annotate(Count('id')).order_by('month')))


@read
def by_string(using, n):
    stories = Story.objects.using(using).order_by('id')
    return (list(stories.filter(title__icontains='y 1%d' % (n % 10)).values_list('id')),
            list(stories.filter(title__startswith="Story '").values_list('id')),
            list(stories.filter(title__iregex=r'story \d+7$').values_list('id')[:7]),
            list(stories.annotate(low=Lower('title')).filter(low='story %d' % n).values('low', 'views')))


@read
def in_list(using, n):
    names = ['tag%d' % (1 + (n + i) % 20) for i in range(3)]
    stories = Story.objects.using(using).filter(tags__name__in=names).distinct()
    return stories.count(), list(stories.order_by('-id').values_list('id', flat=True)[:10])


@read
def exists(using, n):
    talked = Comment.objects.filter(author=OuterRef('pk'), story__featured=True)
    return (Story.objects.using(using).filter(views__gt=995).exists(),
            Author.objects.using(using).filter(~Exists(talked)).count(),
            list(Author.objects.using(using).filter(Exists(talked)).order_by('id').values_list('id', flat=True)[:10]))


@read
def subquery(using, n):
    newest = Comment.objects.filter(story=OuterRef('pk')).order_by('-created', '-id')
    return list(Story.objects.using(using).annotate(newest=Subquery(newest.values('text')[:1]))
                .order_by('-views', 'id').values_list('title', 'newest')[:10])


@read
def window(using, n):
    return list(Story.objects.using(using).filter(author__lte=3)
                .annotate(place=Window(Rank(), [F('author')], [F('views').desc(), F('id').asc()]))
                .order_by('author', 'place').values_list('author_id', 'place', 'id'))


@read
def union(using, n):
    stories = Story.objects.using(using).values_list('title', 'views')
    return list(stories.filter(views__gt=990).union(stories.filter(featured=True)).order_by('title', 'views'))


@read
def raw(using, n):
    rows = Author.objects.using(using).raw(
        'SELECT a.id, a.name, count(*) AS n FROM stories_author a JOIN stories_comment c ON c.author_id = a.id'
        ' WHERE c.text LIKE %s GROUP BY a.id ORDER BY n DESC, a.id LIMIT 10', ['%' + str(n % 10)])
    return [(a.name, a.n, a.karma) for a in rows]


@read
def cursor(using, n):
    with connections[using].cursor() as cursor:
        cursor.execute('SELECT featured, count(*), avg(views)::numeric(8,2) AS mean, array_agg(id ORDER BY id) '
                       'FROM stories_story WHERE views %% 7 = %s GROUP BY featured ORDER BY 1', [n % 7])
        return [c.name for c in cursor.description], cursor.fetchall()


@read
def iterator(using, n):
    """A server-side cursor, WITH HOLD as no transaction is open."""
    stories = Story.objects.using(using).order_by('id').values_list('id', 'views')
    return [row for row in stories.iterator(chunk_size=300) if row[1] % 50 == n % 50]


@read
def iterator_left(using, n):
    """A server-side cursor in a transaction, left after some rows."""
    with transaction.atomic(using=using):
        rows = Story.objects.using(using).order_by('-views', 'id').values_list('id', 'views').iterator(chunk_size=10)
        first = [next(rows) for _ in range(15)]
        rows.close()
        return first


@read
def one(using, n):
    story = Story.objects.using(using).order_by('id')[n % 50]
    return story.title, story.views, story.author.name, sorted(t.name for t in story.tags.all())


@read
def nothing(using, n):
    return (Story.objects.using(using).filter(pk__in=[]).count(),
            list(Tag.objects.using(using).annotate(n=Count('story')).filter(n=0).values_list('name')),
            Story.objects.using(using).filter(views=-1).first())
