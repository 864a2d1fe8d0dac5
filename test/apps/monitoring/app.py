"""app.py: statements of all kinds that pg_stat_statements counts and auto_explain logs.

Prints what pg_stat_statements has counted, a line "WHAT<tab>STATEMENT" each.  "fill" as
an argument makes the initial data instead.
"""
import json
import os
import sys

import psycopg

PLAIN = [
    'SELECT count(*), sum(v) FROM item',
    'SELECT id, v FROM item WHERE v = 7 ORDER BY id LIMIT 5',
    'SELECT v, count(*) AS n FROM item GROUP BY v HAVING count(*) > 1 ORDER BY v',
    'SELECT i.id, s.n FROM item i JOIN LATERAL (SELECT count(*) AS n FROM part p WHERE p.item = i.id) s ON true'
    ' ORDER BY i.id DESC LIMIT 3',
    'SELECT * FROM summed WHERE total > 100 ORDER BY v',
    'WITH r AS MATERIALIZED (SELECT v FROM item WHERE id < 50) SELECT max(v), (SELECT count(*) FROM r) FROM r',
    'SELECT v FROM item WHERE id < 30 UNION SELECT -n FROM part WHERE n < 3 ORDER BY 1',
    'SELECT count(*) FROM divided WHERE k < 30',
    'SELECT i AS "odd name", (i.*)::text, ARRAY[i.v, NULL] FROM item i WHERE id = 3',
    'SELECT count(*) FROM pg_class WHERE relname = \'item\'',
    'SELECT in_sql(3)',
    'SELECT in_plpgsql(id) FROM item WHERE id < 6 ORDER BY id',
    'SELECT now() IS NOT NULL, count(*) FROM item',
    'VALUES (1, 2), (3, 4)',
    'TABLE part LIMIT 2',
]


def connect():
    return psycopg.connect(dbname=os.environ['APP_DATABASE'], user='app', autocommit=True)


def fill(conn):
    conn.execute("""
        CREATE TABLE item (id int PRIMARY KEY, v int);
        INSERT INTO item SELECT i, i % 50 FROM generate_series(1, 2000) i;
        CREATE TABLE part (item int, n int);
        INSERT INTO part SELECT i % 300, i FROM generate_series(1, 1000) i;
        CREATE VIEW summed AS SELECT v, sum(id) AS total FROM item GROUP BY v;
        CREATE TABLE divided (k int) PARTITION BY RANGE (k);
        CREATE TABLE divided_1 PARTITION OF divided FOR VALUES FROM (0) TO (20);
        CREATE TABLE divided_2 PARTITION OF divided FOR VALUES FROM (20) TO (100);
        INSERT INTO divided SELECT i % 100 FROM generate_series(1, 1000) i;
        CREATE FUNCTION in_sql(int) RETURNS bigint LANGUAGE sql STABLE
            AS 'SELECT count(*) FROM item WHERE v > $1 OFFSET 0';
        CREATE FUNCTION in_plpgsql(wanted int) RETURNS int LANGUAGE plpgsql AS $$
        DECLARE
            total int := 0;
            row record;
        BEGIN
            FOR row IN SELECT p.n FROM part p WHERE p.item = wanted ORDER BY p.n LOOP
                total := total + row.n;
            END LOOP;
            RETURN total + (SELECT count(*) FROM item WHERE v = wanted);
        END $$""")


def work(conn):
    for _ in range(4):
        for query in PLAIN:
            conn.execute(query)
        for i in range(3):
            conn.execute('SELECT count(*) FROM item WHERE v < %s', (10 * i,))
        conn.execute('SELECT sum(n) FROM part WHERE item = ANY(%s)', ([1, 2],), prepare=True)
        with conn.transaction(), conn.cursor('some') as cursor:
            cursor.execute('SELECT id FROM item ORDER BY v, id')
            cursor.fetchmany(10)
        with conn.transaction():
            conn.execute('SELECT count(*) FROM part')
            conn.execute('INSERT INTO part VALUES (1, 1)')
            conn.execute('SELECT count(*) FROM part')
        with conn.cursor().copy('COPY (SELECT v, count(*) FROM item GROUP BY v ORDER BY v) TO STDOUT') as copy:
            list(copy)
        conn.execute('EXPLAIN (ANALYZE, VERBOSE) SELECT count(*) FROM item')
        try:
            conn.execute('SELECT 1 / (count(*) - count(*)) FROM item')
        except psycopg.errors.DivisionByZero:
            pass
    conn.execute('PREPARE counted(int) AS SELECT v, count(*) FROM item WHERE v > $1 GROUP BY v ORDER BY v')
    for i in range(12):
        conn.execute('EXECUTE counted(%d)' % (i % 2))
    conn.execute('CREATE TABLE made AS SELECT v, count(*) FROM item GROUP BY v')
    conn.execute('CREATE TABLE made_so AS EXECUTE counted(1)')


with connect() as conn:
    if sys.argv[1:] == ['fill']:
        fill(conn)
    else:
        work(conn)
        for row in conn.execute("""
                /*+ nocache */ SELECT s.query, s.toplevel, s.calls, s.rows
                FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
                WHERE d.datname = current_database() AND s.userid = current_user::regrole ORDER BY s.query COLLATE "C", s.toplevel"""):
            print('calls and rows', json.dumps(row), sep='\t')
