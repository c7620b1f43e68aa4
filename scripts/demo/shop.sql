-- A shop's database: customers, products, orders, and what people build around them.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'demo_shop') THEN CREATE ROLE demo_shop NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'demo_reports') THEN CREATE ROLE demo_reports NOLOGIN; END IF;
  -- What a plain dump leaves out and a restore has to bring back.
  EXECUTE format('ALTER DATABASE %I OWNER TO demo_shop', current_database());
  EXECUTE format('ALTER DATABASE %I SET timezone TO ''America/Sao_Paulo''', current_database());
  EXECUTE format('COMMENT ON DATABASE %I IS ''Orders of the shop''', current_database());
  EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO demo_reports', current_database());
END $$;

GRANT CREATE ON SCHEMA public TO demo_shop;
SET ROLE demo_shop;

CREATE TYPE order_status AS ENUM ('placed', 'paid', 'shipped', 'returned');
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@ ]+@[^@ ]+$');

CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  email email NOT NULL UNIQUE,
  address jsonb NOT NULL,
  joined_at timestamptz NOT NULL,
  birthday date
);
COMMENT ON COLUMN customers.address IS 'As the customer wrote it';

CREATE TABLE products (
  id serial PRIMARY KEY,
  sku text NOT NULL UNIQUE,
  title text NOT NULL,
  price numeric(10, 2) NOT NULL CHECK (price > 0),
  tags text[] NOT NULL DEFAULT '{}',
  is_for_sale boolean NOT NULL DEFAULT true
);

CREATE SEQUENCE invoice_numbers START 100000 INCREMENT 3;

CREATE TABLE orders (
  id bigserial PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers,
  status order_status NOT NULL,
  placed_at timestamptz NOT NULL,
  invoice_number bigint NOT NULL DEFAULT nextval('invoice_numbers') UNIQUE,
  details jsonb
);
CREATE INDEX orders_by_customer ON orders (customer_id, placed_at DESC);
CREATE INDEX orders_to_ship ON orders (placed_at) WHERE status = 'paid';
CREATE INDEX orders_details ON orders USING gin (details);

CREATE TABLE order_items (
  order_id bigint REFERENCES orders ON DELETE CASCADE,
  position int,
  product_id int NOT NULL REFERENCES products,
  quantity int NOT NULL CHECK (quantity BETWEEN 1 AND 99),
  unit_price numeric(10, 2) NOT NULL,
  total numeric(12, 2) GENERATED ALWAYS AS (quantity * unit_price) STORED,
  PRIMARY KEY (order_id, position)
);

CREATE TABLE price_changes (product_id int, old_price numeric, new_price numeric, changed_at timestamptz DEFAULT now());
CREATE FUNCTION note_price_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO price_changes VALUES (NEW.id, OLD.price, NEW.price);
  RETURN NEW;
END $$;
CREATE TRIGGER price_changed AFTER UPDATE OF price ON products
  FOR EACH ROW WHEN (OLD.price <> NEW.price) EXECUTE FUNCTION note_price_change();

INSERT INTO customers (name, email, address, joined_at, birthday)
SELECT
  (ARRAY['Ana', 'Zoë', 'José', '美咲', 'Łukasz', 'Ольга', 'Nguyễn', 'مريم'])[1 + n % 8] || ' '
    || (ARRAY['Silva', 'Müller', 'Øst', 'O''Brien', '佐藤', 'Ξένος', 'D\''Angelo', 'van den Berg'])[1 + n * 5 % 8],
  format('customer%s@example.org', n),
  jsonb_build_object('city', (ARRAY['São Paulo', 'Zürich', '東京', 'Kraków'])[1 + n % 4], 'zip', lpad(n::text, 5, '0')),
  '2024-02-29 23:59:59.123456+00'::timestamptz + n * interval '7 hours 13 seconds',
  CASE WHEN n % 3 > 0 THEN '1960-01-01'::date + n * 5 END
FROM generate_series(1, 2000) n;

INSERT INTO products (sku, title, price, tags)
SELECT 'SKU-' || n, (ARRAY['Mug', 'Café ☕', E'Lamp\t"Moon"', 'Chair'])[1 + n % 4] || ' ' || n, (n * 37 % 9000 + 99) / 100.0,
  ARRAY['tag ' || n % 7, 'a,b', '{"' || n % 5 || '"}']
FROM generate_series(1, 400) n;
UPDATE products SET price = price + 1 WHERE id % 10 = 0;

INSERT INTO orders (customer_id, status, placed_at, details)
SELECT 1 + n * 7919 % 2000, (enum_range(NULL::order_status))[1 + n % 4], '2025-01-01 00:00:00+00'::timestamptz + n * interval '47 minutes',
  CASE WHEN n % 4 > 0 THEN jsonb_build_object('note', md5(n::text), 'gift', n % 9 = 0, 'weights', jsonb_build_array(n / 7.0, NULL, 1e3)) END
FROM generate_series(1, 12000) n;

INSERT INTO order_items (order_id, position, product_id, quantity, unit_price)
SELECT o.id, p, 1 + (o.id * 31 + p * 17) % 400, 1 + (o.id + p) % 5, (o.id * 13 % 9000 + 99) / 100.0
FROM orders o, generate_series(1, 3) p;

CREATE VIEW open_orders AS
  SELECT o.id, c.name, o.placed_at, sum(i.total) AS total
  FROM orders o JOIN customers c ON c.id = o.customer_id JOIN order_items i ON i.order_id = o.id
  WHERE o.status <> 'returned' GROUP BY o.id, c.name, o.placed_at;
CREATE MATERIALIZED VIEW revenue_by_month AS
  SELECT date_trunc('month', o.placed_at AT TIME ZONE 'UTC') AS month, sum(i.total) AS revenue
  FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY 1;
CREATE UNIQUE INDEX revenue_months ON revenue_by_month (month);
GRANT SELECT ON open_orders, revenue_by_month TO demo_reports;
