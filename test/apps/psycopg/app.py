"""app.py: psycopg 3: prepared statements, binary results, server-side cursors, pipelines.

Prints "WHAT<tab>ANSWER" for each answer.  Everything is asked through two connections
in turn, each of which sees what the other one has just committed.  "fill" as an
argument makes the initial data instead.
"""
import json
import os
import sys

import psycopg
from psycopg.rows import dict_row

ROUNDS = 12
COUNT = 'SELECT kind, count(*), sum(amount) FROM booking GROUP BY kind ORDER BY kind'
ONE_KIND = ('SELECT id, amount, at, note, parts FROM booking WHERE kind = %s AND amount > %s'
            ' ORDER BY amount DESC, id LIMIT 20')


def connect(**options):
    return psycopg.connect(dbname=os.environ['APP_DATABASE'], user='app', **options)


def say(what, answer):
    print(what, json.dumps(answer, default=str), sep='\t')


def fill(conn):
    conn.execute('CREATE TABLE booking (id int PRIMARY KEY, kind int, amount numeric(9,2), at timestamptz,'
                 ' note text, parts float8[])')
    with conn.cursor() as cursor, cursor.copy('COPY booking FROM STDIN') as copy:
        for i in range(1, 5001):
            copy.write_row((i, i % 9, i * 37 % 1000 / 4, '2024-01-01 00:00:%02d+00' % (i % 60),
                            None if i % 5 == 0 else 'note %d' % i, [i / 3, None]))


def prepared(conn, n):
    """Executed from the third time on under a name of its own."""
    conn.prepare_threshold = 2
    for i in range(6):
        say('prepare_threshold', conn.execute(ONE_KIND, (n % 9, i % 2)).fetchall())
    say('prepare=True', conn.execute(COUNT, prepare=True).fetchall())


def binary(conn, n):
    for i in range(4):
        for form in (True, False):
            with conn.cursor(binary=form, row_factory=dict_row) as cursor:
                cursor.execute(ONE_KIND, (n % 9, 100), prepare=i % 2 == 0)
                say('binary results' if form else 'text results',
                    [[c.name, c.type_code] for c in cursor.description] + cursor.fetchall())


def server_side(conn, n):
    for _ in range(3):
        with conn.transaction(), conn.cursor('some', scrollable=n % 2 == 0) as cursor:
            cursor.execute('SELECT id, amount FROM booking ORDER BY amount, id')
            parts = [cursor.fetchmany(5), cursor.fetchone()]
            if n % 2 == 0:
                cursor.scroll(-3)
                parts.append(cursor.fetchmany(4))
                cursor.scroll(4990, mode='absolute')
            parts.append(cursor.fetchall()[-12:])
        say('server-side cursor', parts)
        with conn.cursor('held', withhold=True) as cursor:
            cursor.itersize = 700
            cursor.execute('SELECT amount FROM booking WHERE kind = %s ORDER BY id', (n % 9,))
            conn.commit()
            say('cursor with hold', sum(row[0] for row in cursor))
            cursor.close()


def pipeline(conn, other, n):
    """Reads before and after a write within one round trip, then those of the other connection."""
    with conn.pipeline(), conn.transaction():
        cursors = [conn.execute(COUNT)]
        conn.execute('UPDATE booking SET amount = amount + 1 WHERE id = %s', (n,))
        cursors += [conn.execute(COUNT), conn.execute(ONE_KIND, (n % 9, 50), prepare=True)]
    say('pipeline', [cursor.fetchall() for cursor in cursors])
    with other.pipeline():
        cursors = [other.execute(COUNT) for _ in range(3)]
        other.execute('DELETE FROM booking WHERE id = %s', (2000 + n,))
        cursors += [other.execute(COUNT) for _ in range(3)]
    say('pipeline, autocommit', [cursor.fetchall() for cursor in cursors])
    say('after a pipeline', conn.execute(COUNT).fetchall())
    conn.commit()
    try:
        with other.pipeline():
            other.execute(COUNT)
            other.execute('SELECT 1 / (count(*) - count(*)) FROM booking')
            other.execute(COUNT).fetchall()
    except psycopg.Error as error:
        say('error in a pipeline', type(error).__name__)
    say('after an error', other.execute(COUNT).fetchall())


def isolation(conn, other, n):
    conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ if n % 2 else psycopg.IsolationLevel.SERIALIZABLE
    seen = [conn.execute(COUNT).fetchall()]
    other.execute('UPDATE booking SET kind = (kind + 1) %% 9 WHERE id = %s', (n,))
    seen += [other.execute(COUNT).fetchall(), conn.execute(COUNT).fetchall()]
    conn.commit()
    conn.isolation_level = None
    say('isolation', seen + [conn.execute(COUNT).fetchall()])
    conn.commit()


def copy_out(conn):
    with conn.cursor() as cursor, cursor.copy(f'COPY ({COUNT}) TO STDOUT') as copy:
        say('COPY', [bytes(part).decode() for part in copy])
    conn.commit()


if sys.argv[1:] == ['fill']:
    with connect() as conn:
        fill(conn)
else:
    conn, other = connect(), connect(autocommit=True)
    for n in range(1, ROUNDS):
        for used in (conn, other):
            prepared(used, n)
            binary(used, n)
            server_side(used, n)
        pipeline(conn, other, n)
        isolation(conn, other, n)
        copy_out(conn)
