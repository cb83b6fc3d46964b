import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** OpenAPI of every route registered after this call: page at `/docs`, JSON at `/docs/json`; served from here, no CDN. */
export async function registerDocs(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Jiban 即办',
        version,
        description: 'HTTP API of the chat intake bot. The chat itself runs over `GET /chat/ws`; its frames are described in docs/web-chat-protocol.md. '
          + 'Every error has the shape `{ code, message, text, requestId }`: `message` is English for programmers, `text` is Chinese for people.',
      },
      tags: [
        { name: 'chat', description: 'The resident, in the web chat' },
        { name: 'desk', description: 'Operators and units' },
        { name: 'operations', description: 'Health and metrics' },
      ],
      components: {
        securitySchemes: {
          resident: { type: 'apiKey', in: 'cookie', name: 'jiban_resident', description: 'Signed identity from `POST /chat/session`; other clients send it as `Authorization: Bearer`.' },
        },
      },
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { docExpansion: 'list', deepLinking: true, validatorUrl: null }, staticCSP: DOCS_CSP });
}

/** Swagger UI sets style attributes on elements; scripts still only come from here. */
const DOCS_CSP = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
