# The service in one image. Build it with `docker build -t connector-oauth .`, and run it with at least PUBLIC_URL,
# ENCRYPTION_KEYS and one source of AUTH_ keys. Without DATABASE_URL its own PostgreSQL keeps the data in /data.

FROM node:24-slim AS browser
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/browser packages/browser
RUN npm ci --ignore-scripts --include=dev --no-audit --no-fund --workspace packages/browser \
  && node packages/browser/scripts/build.ts --code

FROM node:24-slim AS dashboard
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/contract packages/contract
COPY packages/dashboard packages/dashboard
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund --workspace packages/dashboard \
  && node packages/dashboard/build.mjs

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/browser/package.json packages/browser/
COPY packages/contract/package.json packages/contract/
COPY packages/sandbox/package.json packages/sandbox/
COPY packages/server/package.json packages/server/
# The image brings Node.js 24 itself, so the packaged one can go: it is more than half of the size.
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/node-linux-*

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY packages/contract packages/contract
COPY --from=browser /app/packages/browser/dist packages/browser/dist
COPY packages/browser/package.json packages/browser/
COPY --from=dashboard /app/packages/dashboard/dist packages/dashboard/dist
COPY packages/sandbox packages/sandbox
COPY packages/server packages/server
# Shown at /docs.
COPY docs docs
# Nothing else is written to, so that the rest of the file system may be read-only.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--expose-gc", "packages/server/src/main.ts", "serve"]
