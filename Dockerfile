# syntax=docker/dockerfile:1
# isthmus run, without a shell, without root, writing nothing: it runs with a read-only root file system.
#   docker build -t isthmus .
#   docker run --read-only --cap-drop ALL -v ./manifests:/manifests:ro -v ./secrets:/secrets:ro -p 8080:8080 isthmus

FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY functions functions
COPY shared shared
COPY local local
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf dist/functions dist/.tsbuildinfo

FROM gcr.io/distroless/nodejs22-debian12:nonroot
LABEL org.opencontainers.image.title="isthmus" \
      org.opencontainers.image.description="The bridge between Kafka / Azure Event Hubs and MQTT v5" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
ENV NODE_ENV=production
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=40s CMD ["/nodejs/bin/node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/nodejs/bin/node", "dist/local/cli.js"]
CMD ["run", "-f", "/manifests", "--secrets", "/secrets", "--http", "0.0.0.0:8080", "--log", "json"]
