import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { LOST, type Carry, type WireAnswer, type WireRequest } from './wire.ts';

type Handle = (request: WireRequest) => Promise<WireAnswer | typeof LOST>;

const MAX_BODY_BYTES = 32 * 1024 * 1024;

const methodOf = (method: string | undefined): 'GET' | 'POST' => (method === 'POST' ? 'POST' : 'GET');

/** `fetch` that goes to `handle` and nowhere else. */
export function fetchOver(handle: Handle): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const answer = await handle({
      method: methodOf(request.method), url: request.url, headers: Object.fromEntries(request.headers), body: Buffer.from(await request.arrayBuffer()),
    });
    if (answer === LOST) throw new TypeError('fetch failed', { cause: new Error('lost by the simulated network') });
    return new Response(new Uint8Array(answer.body), { status: answer.status, headers: answer.headers });
  };
}

/** Callbacks over real HTTP. */
export const carryOverHttp: Carry = async (request, signal) => {
  const body = request.method === 'POST' ? { body: new Uint8Array(request.body) } : {};
  const response = await fetch(request.url, { method: request.method, headers: request.headers, signal, redirect: 'manual', ...body });
  return { status: response.status, headers: Object.fromEntries(response.headers), body: Buffer.from(await response.arrayBuffer()) };
};

interface Injected { readonly statusCode: number; readonly rawPayload: Buffer }
/** What `app.inject` of Fastify takes and gives, as far as it is needed here. */
export type Inject = (request: { method: 'GET' | 'POST'; url: string; headers: Record<string, string>; payload?: Buffer }) => Promise<Injected>;

/** Callbacks into a Fastify application that listens nowhere: `carryByInject((request) => app.inject(request))`. */
export function carryByInject(inject: Inject): Carry {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const answer = await inject({ method: request.method, url: pathname + search, headers: { ...request.headers }, ...(request.method === 'POST' ? { payload: request.body } : {}) });
    return { status: answer.statusCode, headers: {}, body: answer.rawPayload };
  };
}

/** An HTTP server over `handle`; a lost answer is a connection cut. Not yet listening. */
export function serverOver(handle: Handle): Server {
  return createServer((incoming, outgoing) => {
    readBody(incoming)
      .then((body) => handle({ method: methodOf(incoming.method), url: incoming.url ?? '/', headers: headersOf(incoming), body }))
      .then((answer) => write(outgoing, answer), (error: unknown) => {
        console.error(error);
        outgoing.destroy();
      });
  });
}

function write(outgoing: ServerResponse, answer: WireAnswer | typeof LOST): void {
  if (answer === LOST) outgoing.destroy();
  else outgoing.writeHead(answer.status, answer.headers).end(answer.body);
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]));
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`a body of more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
