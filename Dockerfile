# The worker and backupctl, with every program that they start.

FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/build.js scripts/
COPY src src
RUN npm run build
# What production loads: no packages for development, one platform's Temporal core, and nothing that only bundling the
# workflows needs (swc, terser), which has been done here.
RUN npm prune --omit=dev --no-audit --no-fund \
 && core=$(uname -m)-unknown-linux-gnu \
 && test -d "node_modules/@temporalio/core-bridge/releases/$core" \
 && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$core" -exec rm -r {} + \
 && rm -r node_modules/@swc node_modules/swc-loader node_modules/terser node_modules/caniuse-lite \
 && find node_modules dist -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -iname '*.md' \) -delete \
 && find node_modules/@aws-sdk node_modules/@smithy -type d \( -name dist-es -o -name dist-types \) -prune -exec rm -r {} + \
 && rm -rf node_modules/@temporalio/*/src node_modules/@temporalio/core-bridge/sdk-core node_modules/rxjs/src node_modules/zod/src

# What node:24-trixie-slim is made from, without its npm and headers.
FROM debian:trixie-slim
# Further majors of the PostgreSQL clients, for servers newer than Debian's: `--build-arg POSTGRES_MAJORS="16 18"` adds them
# from the PostgreSQL project's packages. Only the default was built and tested by us.
ARG POSTGRES_MAJORS=""
# A restore on trial needs the locales of its databases: by default that of the postgres image.
ARG LOCALES="en_US.UTF-8"
# The server is there for restores on trial: not as a cluster that starts by itself, and without its just-in-time compiler,
# which it does not need and which is a third of these packages.
RUN mkdir -p /etc/postgresql-common/createcluster.d \
 && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/none.conf \
 && apt-get update \
 && apt-get install -y --no-install-recommends \
      age attr ca-certificates docker-cli pigz postgresql-17 postgresql-client-17 tabix zstd \
 && if [ -n "$POSTGRES_MAJORS" ]; then \
      /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
      && apt-get install -y --no-install-recommends $(printf 'postgresql-client-%s ' $POSTGRES_MAJORS); \
    fi \
 && for locale in $LOCALES; do localedef -i "${locale%%.*}" -f "${locale#*.}" "$locale"; done \
 && rm -rf /var/lib/apt/lists/* /usr/share/i18n /usr/lib/*/libLLVM* /usr/lib/*/libz3.so* \
      /usr/lib/postgresql/17/lib/llvmjit* /usr/lib/postgresql/17/lib/bitcode
COPY --from=build /usr/local/bin/node /usr/local/bin/
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin orchestrator \
 && install -d -o orchestrator -g orchestrator /backups
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN printf '#!/bin/sh\nexec backupctl run "$@"\n' >/backup.sh \
 && chmod 755 /backup.sh \
 && ln -s /app/dist/client.js /usr/local/bin/backupctl
ENV NODE_ENV=production \
    UV_THREADPOOL_SIZE=16 \
    MALLOC_ARENA_MAX=2 \
    BACKUPS_FILE=/config/backups.yml \
    METRICS_ADDRESS=0.0.0.0:9464 \
    SDK_METRICS_ADDRESS=0.0.0.0:9465
USER orchestrator
# A worker waits two minutes for a Temporal server that starts beside it.
HEALTHCHECK --interval=30s --timeout=10s --start-period=150s CMD ["node", "/app/dist/worker/health-check.js"]
ENTRYPOINT []
CMD ["node", "--max-semi-space-size=2", "--heap-growing-percent=15", "/app/dist/worker.js"]
