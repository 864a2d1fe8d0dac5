// app.js: a node-postgres application: the ways to send a query, and a pool whose
// connections read while one of them writes.  Prints "WHAT<tab>ANSWER" for each
// answer.  "fill" as an argument makes the initial data instead.
'use strict'

const { Client, Pool } = require('pg')
const Cursor = require('pg-cursor')

const CONNECTIONS = 5
const ROUNDS = 30

function say (what, answer) {
  console.log(what + '\t' + JSON.stringify(answer))
}

async function fill (client) {
  await client.query(`CREATE TABLE product (id int PRIMARY KEY, name text NOT NULL, price numeric(10,2),
    tags text[], props jsonb, added timestamptz, bits bytea)`)
  await client.query('CREATE TABLE sale (id serial PRIMARY KEY, product int REFERENCES product ON DELETE CASCADE, n int)')
  await client.query(`INSERT INTO product SELECT i, 'Product ' || i, i * 1.25, ARRAY['t' || i % 7, 't' || i % 3],
    jsonb_build_object('size', i % 11, 'deep', jsonb_build_array(i, NULL)),
    '2024-01-01 00:00+00'::timestamptz + i * interval '1 hour', decode(md5(i::text), 'hex')
    FROM generate_series(1, 1000) i`)
  await client.query('INSERT INTO sale (product, n) SELECT 1 + i * 7 % 1000, i % 5 FROM generate_series(1, 8000) i')
}

// The statements of the pages.
const TOP = `SELECT p.id, p.name, p.price, sum(s.n) AS sold FROM product p JOIN sale s ON s.product = p.id
  GROUP BY p.id ORDER BY sold DESC, p.id LIMIT 10`
const TOTAL = 'SELECT count(*), sum(n), avg(n) FROM sale'
const TAGGED = `SELECT p.id, p.tags, p.props, p.added, p.bits, count(s.id)::int AS sales
  FROM product p LEFT JOIN sale s ON s.product = p.id
  WHERE p.tags @> $1 AND p.price < $2 GROUP BY p.id ORDER BY p.id DESC LIMIT $3`

async function waysOfAsking (client, n) {
  const again = async (what, ask) => {
    for (let i = 0; i < 3; i++) say(what, await ask())
  }
  const rows = async (...query) => (await client.query(...query)).rows

  await again('simple', () => rows(TOP))
  await again('simple, several', async () =>
    (await client.query(`${TOTAL}; UPDATE product SET price = price + 0.01 WHERE id = ${n}; ${TOP}; ${TOTAL}`))
      .map(result => [result.command, result.rowCount, result.rows]))
  await again('parameters', () => rows(TAGGED, [['t' + n % 7], 900 + n, 5]))
  await again('parameters of other types', () => rows(
    'SELECT $1::timestamptz AS at, $2::bytea AS b, $3::jsonb AS j, $4::float8 AS f, count(*) FROM sale WHERE n = ANY($5)',
    [new Date(86400000 * n), Buffer.from([n, 0, 255]), { n }, n / 3, [n % 5, null]]))
  await again('named', () => rows({ name: 'tagged', text: TAGGED, values: [['t' + n % 3], 1250, 7] }))
  await again('rows as arrays', async () => {
    const result = await client.query({ text: TAGGED, values: [['t1'], 1e6, 3], rowMode: 'array' })
    return [result.fields.map(field => [field.name, field.dataTypeID, field.format]), result.rows]
  })
  await again('binary', () => rows({ text: 'SELECT id, n, n % 2 = 0 AS even FROM sale WHERE product = $1 ORDER BY id', values: [n], binary: true }))
  await again('cursor', async () => {
    const cursor = client.query(new Cursor(TAGGED, [['t2'], 1e6, 50]))
    const parts = [await cursor.read(7), await cursor.read(20)]
    if (n % 2) parts.push(await cursor.read(100))
    await cursor.close()
    return parts
  })
  await again('error', async () => {
    try {
      return await rows('SELECT 1 / (count(*) - count(*)) FROM sale')
    } catch (error) {
      return [error.code, error.message]
    }
  })
}

// What each of the connections sees now, all asked at once.
async function everywhere (clients, n) {
  return Promise.all(clients.map(async client => {
    const top = await client.query(TOP)
    const total = await client.query(TOTAL)
    const tagged = await client.query({ name: 'tagged', text: TAGGED, values: [['t' + n % 3], 1300, 3] })
    return [top.rows, total.rows, tagged.rows]
  }))
}

async function concurrency (pool) {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.connect()))
  for (let n = 1; n <= ROUNDS; n++) {
    const writer = clients[n % CONNECTIONS]
    const others = clients.filter(client => client !== writer)
    await everywhere(clients, n)
    await writer.query('BEGIN')
    await writer.query('INSERT INTO sale (product, n) VALUES ($1, $2)', [n, 1000 + n])
    await writer.query('DELETE FROM product WHERE id = $1', [500 + n])
    say('others before the commit', await everywhere(others, n))
    say('writer before the commit', await everywhere([writer], n))
    const commit = n % 3 !== 0
    // while others are reading: these answers may be from before it or after it
    await Promise.all([writer.query(commit ? 'COMMIT' : 'ROLLBACK'), everywhere(others, n)])
    const seen = await everywhere(clients, n)
    const same = seen.every(answer => JSON.stringify(answer) === JSON.stringify(seen[0]))
    say(commit ? 'all after the commit' : 'all after the rollback', [same, seen[0]])
  }
  clients.forEach(client => client.release())
}

async function pooled (pool) {
  for (let n = 0; n < 20; n++) {
    await pool.query('UPDATE product SET price = $1 WHERE id = $2', [n + 2000.5, n])
    const many = await Promise.all(Array.from({ length: 20 }, () => pool.query(
      'SELECT max(price), count(*) FROM product p JOIN sale s ON s.product = p.id')))
    say('pool', many.map(result => result.rows[0]))
  }
}

async function notify (pool, client) {
  const heard = []
  client.on('notification', message => heard.push([message.channel, message.payload]))
  await client.query('LISTEN sold')
  for (let n = 0; n < 5; n++) {
    await pool.query('SELECT pg_notify($1, count(*)::text) FROM sale', ['sold'])
    await pool.query(`NOTIFY sold, 'by hand ${n}'`)
  }
  while (heard.length < 10) await new Promise(resolve => setTimeout(resolve, 20))
  say('LISTEN', heard)
}

async function main () {
  const settings = { user: 'app', database: process.env.APP_DATABASE }
  const pool = new Pool({ ...settings, max: CONNECTIONS })
  const client = new Client(settings)
  await client.connect()
  if (process.argv[2] === 'fill') await fill(client)
  else {
    for (let n = 1; n <= 6; n++) await waysOfAsking(client, n)
    await concurrency(pool)
    await pooled(pool)
    await notify(pool, client)
  }
  await client.end()
  await pool.end()
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
