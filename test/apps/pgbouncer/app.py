"""app.py: several clients behind PgBouncer, which has fewer connections than clients.

Prints "WHAT<tab>ANSWER" for each answer.  "fill" as an argument makes the initial data
instead, directly.
"""
import json
import os
import sys

import psycopg2

CLIENTS = 5
ROUNDS = 20
SUMS = 'SELECT tenant, count(*), sum(amount) FROM account GROUP BY tenant ORDER BY tenant'
DEAR = ('SELECT current_user, count(*), sum(a.amount * b.amount) FROM account a JOIN account b USING (tenant)'
        ' WHERE a.amount > %s AND b.id < 200')


def connect(database, user='app', **options):
    return psycopg2.connect(dbname=database, user=user, **options)


def bouncer(pool_mode, user='app'):
    return connect(pool_mode, user, port=os.environ['APP_BOUNCER_PORT'])


def say(what, answer):
    print(what, json.dumps(answer, default=str), sep='\t')


def ask(client, query, *values):
    with client.cursor() as cursor:
        cursor.execute(query, values or None)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def fill(conn):
    ask(conn, """
        CREATE TABLE account (id int PRIMARY KEY, tenant text, amount int);
        INSERT INTO account SELECT i, 'tenant ' || i % 4, i * 7 % 100 FROM generate_series(1, 3000) i;
        GRANT SELECT ON account TO app_reader;
        CREATE TABLE secret (id int PRIMARY KEY, tenant text);
        INSERT INTO secret SELECT i, 'tenant ' || i % 4 FROM generate_series(1, 3000) i;
        GRANT SELECT ON secret TO app_reader;
        ALTER TABLE secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY own ON secret TO app USING (tenant = current_setting('app.tenant', true));
        CREATE POLICY few ON secret TO app_reader USING (id <= 100)""")
    conn.commit()


def writes_through_others(mode, clients):
    """Every client reads, and reads again after another one's write."""
    for n in range(ROUNDS):
        writer = clients[n % CLIENTS]
        for client in clients * 2:
            say(mode + ': before a write', [ask(client, SUMS), ask(client, DEAR, n)])
            client.commit()
        say(mode + ': write', ask(writer, 'UPDATE account SET amount = amount + 1 WHERE id %% 500 = %s', n))
        writer.commit()
        for client in clients:
            say(mode + ': after a write', [ask(client, SUMS), ask(client, DEAR, n)])
            client.commit()


def open_transactions(mode, clients):
    """Clients share the other connection while one has a transaction open."""
    for n in range(ROUNDS):
        writer = clients[n % CLIENTS]
        others = [client for client in clients if client is not writer]
        ask(writer, 'DELETE FROM account WHERE id = %s', 1000 + n)
        say(mode + ': own write', ask(writer, SUMS))
        for client in others * 2:
            say(mode + ': uncommitted write of another', ask(client, SUMS))
            client.commit()
        writer.rollback() if n % 3 == 0 else writer.commit()
        for client in clients:
            say(mode + ': after its end', ask(client, SUMS))
            client.commit()


def settings(mode, clients):
    """What a transaction has set is gone with it, for DISCARD ALL follows."""
    visible = 'SELECT current_user, count(*), min(tenant) FROM secret'
    for n in range(ROUNDS):
        client, other = clients[n % CLIENTS], clients[(n + 1) % CLIENTS]
        for local in ('', 'LOCAL'):
            ask(client, f"SET {local} app.tenant = 'tenant {n % 4}'")
            say(mode + ': custom setting', [ask(client, visible), ask(client, visible)])
            client.commit()
            say(mode + ': without it', [ask(client, visible), ask(other, visible)])
            client.commit()
            other.commit()
            ask(client, f'SET {local} ROLE app_reader')
            say(mode + ': SET ROLE', [ask(client, visible), ask(client, DEAR, 3)])
            client.commit()
            say(mode + ': without it', [ask(client, visible), ask(other, DEAR, 3)])
            client.commit()
            other.commit()
            ask(client, f"SET {local} TimeZone = 'Asia/Tokyo'; SET {local} DateStyle = 'German'")
            times = "SELECT max(timestamptz '2024-05-06 20:00+00' + id * interval '1 s')::text FROM account"
            say(mode + ': TimeZone', ask(client, times))
            client.commit()
            say(mode + ': TimeZone of before', ask(other, times))
            other.commit()
        ask(client, "SET cache.mode = off")
        say(mode + ': cache.mode', ask(client, SUMS))
        client.commit()
        say(mode + ': cache.mode of before', ask(client, SUMS))
        client.commit()


def roles(mode, client, reader):
    """Clients of two roles ask the same, and may not see the same."""
    for n in range(ROUNDS):
        ask(client, f"SET app.tenant = 'tenant {n % 4}'")
        ask(reader, f"SET app.tenant = 'tenant {n % 4}'")
        for asking in (client, reader) * 2:
            say(mode + ': two roles', ask(asking, 'SELECT count(*), min(id) FROM secret WHERE id % 7 < 5'))
        client.commit()
        reader.commit()


def main():
    if sys.argv[1:] == ['fill']:
        return fill(connect(os.environ['APP_DATABASE']))
    clients = [bouncer('transaction') for _ in range(CLIENTS)]
    writes_through_others('transaction mode', clients)
    open_transactions('transaction mode', clients)
    settings('transaction mode', clients)
    roles('transaction mode', clients[0], bouncer('transaction', 'app_reader'))
    clients = [bouncer('statement') for _ in range(CLIENTS)]
    for client in clients:
        client.autocommit = True
    writes_through_others('statement mode', clients)


main()
