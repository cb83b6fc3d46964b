import type { IncomingMessage } from 'node:http';
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

/**
 * Headers for pages and API. No inline script or style. Works on a plain-http intranet: nothing upgrades to https,
 * HSTS is left to the proxy that ends TLS.
 */
export async function registerSecurity(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    hsts: false,
    crossOriginOpenerPolicy: false, // ignored with a console warning on plain http
    originAgentCluster: false,
    referrerPolicy: { policy: 'no-referrer' },
    contentSecurityPolicy: { useDefaults: false, directives: CSP },
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('permissions-policy', 'geolocation=(self), camera=(self), microphone=()');
  });
}

const CSP = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:', 'blob:'],
  fontSrc: ["'self'"],
  manifestSrc: ["'self'"],
  // Safari before 15.4 does not count ws: as 'self'.
  connectSrc: ["'self'", (request: IncomingMessage) => socketSource(request.headers.host)],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  objectSrc: ["'none'"],
  frameAncestors: ["'self'"],
};

/** Only a plain host:port goes into the header; anything else adds nothing. */
function socketSource(host: string | undefined): string {
  return host && /^[a-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-f:]+\](:\d{1,5})?$/i.test(host) ? `ws://${host} wss://${host}` : "'self'";
}
