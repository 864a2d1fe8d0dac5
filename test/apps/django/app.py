"""app.py: a mix of page views and writes.  Prints "WHAT<tab>ANSWER" for each.

What is read is read through both connections, twice, so that the second time may
be answered from the cache.  "fill" as an argument makes the initial data instead.
"""
import io
import json
import os
import random
import sys

import django

os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'
django.setup()

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections, models
from django.test import Client
from stories.fill import fill
from stories.models import Author, Story
from stories.reads import READS
from stories.writes import WRITES

ALIASES = ('default', 'other')
ROUNDS = 40


def say(what, answer):
    print(what, json.dumps(answer, default=str), sep='\t')


def read_all(n, functions=READS):
    for function in functions:
        for using in ALIASES * 2:
            say('read ' + function.__name__, function(using, n))


def mix():
    chance = random.Random(2)
    for n in range(ROUNDS):
        write = WRITES[n % len(WRITES)]
        using = chance.choice(ALIASES)
        say('write ' + write.__name__, write(using, n))
        read_all(chance.randint(0, 2), chance.sample(READS, 7))


def client():
    """Views through the test client, which keeps the connections."""
    http = Client()
    for n in range(6):
        for page in ('/', '/?page=2', '/story/8', '/story/9', '/story/999999') * 2:
            answer = http.get(page)
            say('client GET', [answer.status_code, answer.status_code == 200 and answer.json()])
        say('client POST', http.post('/story/%d/say' % (8 + n % 2), {'text': 'n %d' % n}).json())


def wsgi():
    """Requests as a web server makes them: CONN_MAX_AGE says what becomes of the connection."""
    handler = WSGIHandler()
    backends = []
    for n in range(8):
        status = []
        answer = handler({'REQUEST_METHOD': 'GET', 'PATH_INFO': '/', 'QUERY_STRING': 'page=3', 'SERVER_NAME': 'app',
                          'SERVER_PORT': '80', 'wsgi.input': io.BytesIO(), 'wsgi.url_scheme': 'http'},
                         lambda line, headers: status.append(line))
        say('request', [status, b''.join(answer).decode()])
        backends.append(connections['default'].connection.get_backend_pid())
        answer.close()
        Story.objects.using('other').filter(pk=n + 1).delete()
    lasts = connections['default'].settings_dict['CONN_MAX_AGE'] > 0
    say('CONN_MAX_AGE', len(set(backends)) == (1 if lasts else len(backends)))


def migration():
    """A column more, and again without, while both connections are in use."""
    field = models.IntegerField(default=7)
    field.set_attributes_from_name('rank')
    for operation in ('add_field', 'remove_field'):
        with connections['other'].schema_editor() as editor:
            getattr(editor, operation)(Author, field)
        for using in ALIASES * 2:
            rows = Author.objects.using(using).raw('SELECT * FROM stories_author ORDER BY id LIMIT 5')
            say('migration', [rows.columns, [[a.name, getattr(a, 'rank', None)] for a in rows]])
        read_all(1, READS[:4])


if sys.argv[1:] == ['fill']:
    fill()
else:
    read_all(0)
    mix()
    client()
    wsgi()
    migration()
    read_all(1)
