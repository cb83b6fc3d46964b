FROM node:22-bookworm-slim AS bundle
WORKDIR /src
COPY . .
RUN node scripts/bundle.mjs && mkdir /app && tar -xzf dist/jiban-*.tar.gz -C /app --strip-components=1

FROM node:22-bookworm-slim
COPY --from=bundle --chown=root:root /app /app
RUN mkdir /data && chown node:node /data && chmod 700 /data
USER node
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
VOLUME /data
EXPOSE 3000
# The same entry as npm start; it passes SIGTERM on and waits.
CMD ["node", "scripts/run.mjs", "src/main.ts"]
