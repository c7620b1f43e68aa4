import { onceOnStage, type Stage } from '../stage.js';

export interface BenchDatabase {
  name: string;
}

/** A million bytes of dump are so many orders. */
const ORDERS_PER_MEGABYTE = 1050;
const DUMP_MEGABYTES = { full: 670, smoke: 4 };

/**
 * Customers, orders, their lines and what happened to them, about 670 MB as a dump, which gzip brings to a third as it does with what
 * businesses keep: names and states that repeat, numbers and times that grow, what people wrote, tokens that nothing compresses.
 */
export const businessDatabase = onceOnStage(async (stage: Stage): Promise<BenchDatabase> => {
  const name = 'business';
  await createBusinessDatabase(stage, name, DUMP_MEGABYTES[stage.isSmoke ? 'smoke' : 'full']);
  return { name };
});

/** One of that kind whose dump has so many million bytes. */
export async function createBusinessDatabase({ postgres, say }: Stage, name: string, megabytes: number): Promise<void> {
  const orders = Math.ceil(ORDERS_PER_MEGABYTE * megabytes);
  say(`making the database ${name} of ${String(orders)} orders`);
  await postgres.psql('postgres', `CREATE DATABASE "${name}"`);
  await postgres.psql(name, businessSql(orders));
}

function businessSql(orders: number): string {
  const customers = Math.ceil(orders / 8);
  const phrases = Math.ceil(orders / 3);
  return `
SELECT setseed(0.5);
CREATE FUNCTION one_of(choices text[]) RETURNS text LANGUAGE sql VOLATILE
  AS $$ SELECT choices[1 + floor(random() * array_length(choices, 1))::int] $$;
CREATE TABLE customers (
  id int PRIMARY KEY, first_name text, last_name text, email text, street text, city text, postcode text, created_at timestamptz, note text);
CREATE TABLE orders (
  id int PRIMARY KEY, customer_id int, placed_at timestamptz, status text, total numeric(10,2), currency text, token uuid, comment text);
CREATE TABLE order_lines (order_id int, line int, sku text, quantity int, price numeric(10,2), description text);
CREATE TABLE messages (id int, order_id int, sent_at timestamptz, author text, body text);
CREATE TABLE events (id bigint, order_id int, at timestamptz, kind text, actor text, details jsonb);
INSERT INTO customers SELECT i, f, l, lower(f) || '.' || lower(l) || i || '@example.org',
    one_of('{Oak,Elm,Maple,Station,High,Mill,Church,Park}') || ' Street ' || (random() * 300)::int,
    one_of('{Lisbon,Porto,Braga,Coimbra,Faro,Evora,Aveiro,Leiria,Setubal}'), lpad((random() * 9999)::int::text, 4, '0') || '-' || (random() * 999)::int,
    timestamptz '2019-01-01' + i * interval '7 minutes', CASE WHEN random() < 0.2 THEN 'prefers delivery in the ' || one_of('{morning,evening,afternoon}') END
  FROM (SELECT i, one_of('{Ana,Joao,Maria,Pedro,Ines,Rui,Sofia,Tiago,Marta,Nuno,Carla,Luis}') f,
    one_of('{Silva,Santos,Ferreira,Pereira,Oliveira,Costa,Rodrigues,Martins,Sousa,Gomes}') l FROM generate_series(1, ${customers}) i) c;
INSERT INTO orders SELECT i, 1 + floor(random() * ${customers})::int, timestamptz '2019-01-01' + i * interval '53 seconds',
    one_of('{paid,shipped,delivered,returned,cancelled}'), (random() * 900)::numeric(10,2), 'EUR', gen_random_uuid(),
    CASE WHEN random() < 0.3 THEN 'please leave it with the neighbour at number ' || (random() * 200)::int END FROM generate_series(1, ${orders}) i;
INSERT INTO order_lines SELECT i / 3, i % 3 + 1, 'SKU-' || lpad((random() * 99999)::int::text, 5, '0'), 1 + (random() * 4)::int, (random() * 300)::numeric(10,2),
    one_of('{cotton,linen,wool,silk}') || ' ' || one_of('{shirt,trousers,scarf,jacket,dress}') || ', ' || one_of('{red,green,blue,black,white}') || ', size ' || (34 + random() * 16)::int
  FROM generate_series(3, ${orders * 3}) i;
CREATE TEMPORARY TABLE words AS SELECT n, (SELECT string_agg(chr(97 + floor(random() ^ 2 * 26)::int), '') FROM generate_series(1, 2 + n % 8)) word FROM generate_series(1, 5000) n;
CREATE TEMPORARY TABLE phrases AS SELECT id, string_agg(word, ' ') phrase
  FROM (SELECT i % ${phrases} + 1 id, ceil(5000 ^ random())::int n FROM generate_series(1, ${phrases} * 9) i) p JOIN words USING (n) GROUP BY id;
INSERT INTO messages SELECT i, i * 2, timestamptz '2019-01-01' + i * interval '71 seconds', one_of('{customer,support,warehouse}'), body
  FROM (SELECT i, string_agg(phrase, ', ') body FROM (SELECT k / 4 i, ceil(random() * ${phrases})::int id FROM generate_series(4, ${orders * 2}) k) m
    JOIN phrases USING (id) GROUP BY i) bodies;
INSERT INTO events SELECT i, i / 2, timestamptz '2019-01-01' + i * interval '27 seconds', one_of('{placed,paid,packed,shipped,delivered,reminded,returned}'),
    one_of('{web,app,shop,support,api}'), jsonb_build_object('request', md5(i::text), 'session', md5((i / 5)::text), 'signature', md5(random()::text), 'agent', one_of('{Firefox,Chrome,Safari,Edge}'),
      'duration_ms', (random() * 2000)::int, 'address', '10.' || (random() * 255)::int || '.' || (random() * 255)::int || '.' || (random() * 255)::int)
  FROM generate_series(2, ${orders * 2}) i;
ALTER TABLE order_lines ADD PRIMARY KEY (order_id, line);
ALTER TABLE events ADD PRIMARY KEY (id);
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON events (order_id);
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;
DROP FUNCTION one_of;
VACUUM (FREEZE, ANALYZE);
`;
}
