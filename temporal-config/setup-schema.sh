#!/bin/sh
# Makes the two databases of the Temporal server and brings their schemas to the version of this image. A second run changes
# nothing. Reads SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER, SQL_PASSWORD.
set -eu
schemas=/etc/temporal/schema/postgresql/v12

set_up() { # DATABASE SCHEMA
  temporal-sql-tool --database "$1" create-database
  temporal-sql-tool --database "$1" setup-schema -v 0.0
  temporal-sql-tool --database "$1" update-schema -d "$schemas/$2/versioned"
}

set_up temporal temporal
set_up temporal_visibility visibility
