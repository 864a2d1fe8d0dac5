"""views.py: two pages and a form."""
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from .fill import START
from .models import Comment, Story


def front(request):
    stories = Story.objects.select_related('author').annotate(n=Count('comment')).order_by('-n', '-id')
    page = Paginator(stories, 10).get_page(request.GET.get('page'))
    return JsonResponse({'pages': page.paginator.num_pages,
                         'stories': [[s.id, s.title, s.author.name, s.n] for s in page]})


def story(request, pk):
    story = get_object_or_404(Story.objects.annotate(n=Count('comment')), pk=pk)
    return JsonResponse({'title': story.title, 'views': story.views, 'comments': story.n,
                         'more': list(story.author.story_set.order_by('-views', 'id').values_list('title', flat=True)[:5])})


@csrf_exempt
def say(request, pk):
    comment = Comment.objects.create(story_id=pk, text=request.POST['text'], created=START)
    return JsonResponse({'id': comment.id}, status=201)


urlpatterns = [
    path('', front),
    path('story/<int:pk>', story),
    path('story/<int:pk>/say', say),
]
