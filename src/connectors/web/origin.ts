import type { FastifyRequest } from 'fastify';

/**
 * Whether the page that sends this may use the resident's cookie: this server's own pages, or one on the list.
 * Programs send no Origin and have no one else's cookie.
 */
export function isOriginAllowed(request: Pick<FastifyRequest, 'headers' | 'host'>, allowed: readonly string[]): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return true;
  return allowed.includes(origin) || hostOf(origin) === request.host.toLowerCase();
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined; // `null` (sandboxed page) parses to nothing
}
