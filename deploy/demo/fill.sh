#!/bin/sh
# Fills what the profile `demo` of docker-compose.yml backs up, and makes the bucket for the copies; a second run changes
# nothing. It runs in the service's own image, which has psql and the AWS SDK.
set -eu

query() { psql -X -q -v ON_ERROR_STOP=1 -f -; }

PGHOST=postgres PGDATABASE=mordor PGUSER=$POSTGRES_USER PGPASSWORD=${POSTGRES_PASSWORD:-$(cat "${POSTGRES_PASSWORD_FILE:-/dev/null}")} query <<'SQL'
SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS rings AS
  SELECT id, 'bearer ' || id AS bearer, md5(id::text) AS inscription FROM generate_series(1, 20000) AS id;
SQL

PGHOST=transactions PGPORT=5433 PGDATABASE=transactions PGUSER=$TRANSACTIONS_USER \
  PGPASSWORD=${TRANSACTIONS_PASSWORD:-$(cat "${TRANSACTIONS_PASSWORD_FILE:-/dev/null}")} query <<'SQL'
SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS payments AS
  SELECT id, (id % 997) * 1.25 AS amount, timestamptz '2026-01-01Z' + id * interval '1 minute' AS paid_at
  FROM generate_series(1, 50000) AS id;
SQL

if [ ! -e /uploads/2026 ]; then
  mkdir -p /uploads/2026
  for number in 1 2 3 4 5; do head -c 200000 /dev/urandom >"/uploads/2026/photo-$number.jpg"; done
fi

cd /app # where the SDK is found
node --input-type=module - <<'JS'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

const { S3_BUCKET, S3_ENDPOINT, AWS_DEFAULT_REGION } = process.env;
const client = new S3Client({ endpoint: S3_ENDPOINT, region: AWS_DEFAULT_REGION, forcePathStyle: true });
await client.send(new CreateBucketCommand({ Bucket: S3_BUCKET })).catch((error) => {
  if (!error.name.startsWith('BucketAlready')) throw error;
});
JS
echo 'demo: two databases, a volume and a bucket are there'
