from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=50)
    joined = models.DateField()
    karma = models.IntegerField(default=0)


class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)


class Story(models.Model):
    author = models.ForeignKey(Author, models.CASCADE)
    title = models.CharField(max_length=100)
    body = models.TextField()
    published = models.DateTimeField(db_index=True)
    featured = models.BooleanField(default=False)
    views = models.IntegerField(default=0)
    tags = models.ManyToManyField(Tag)


class Comment(models.Model):
    story = models.ForeignKey(Story, models.CASCADE)
    author = models.ForeignKey(Author, models.SET_NULL, null=True)
    text = models.TextField()
    created = models.DateTimeField()
