import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { isAppError, type ErrorCode } from '../domain/errors.ts';
import { publicText, type HttpCode, type PublicCode } from './error-texts.zh.ts';

/** The only table from codes to HTTP statuses. */
const STATUS: Readonly<Record<PublicCode, number>> = {
  'config.invalid': 500,
  'store.unreachable': 503, 'store.locked': 503, 'store.full': 507, 'store.bad_value': 500, 'store.newer_schema': 500, 'store.corrupt': 500,
  'key.mismatch': 500, 'key.missing': 500, 'key.destroyed': 410, 'key.unreadable': 500,
  'model.missing': 500, 'model.hash_mismatch': 500, 'model.bad_output': 500, 'model.unavailable': 503, 'model.timeout': 503, 'model.busy': 503, 'training.invalid': 500,
  'segmenter.missing': 500, 'gazetteer.invalid': 500, 'catalogue.invalid': 500, 'directory.invalid': 500, 'directory.refused': 422,
  'message.invalid': 400, 'message.too_large': 413, 'media.invalid': 415, 'media.too_large': 413, 'media.not_found': 404,
  'auth.required': 401, 'auth.forbidden': 403, 'auth.invalid': 401, 'auth.locked': 429, 'auth.link_used': 410,
  'conversation.not_found': 404, 'conversation.taken': 409, 'conversation.not_yours': 403,
  'ticket.not_found': 404, 'ticket.wrong_state': 409, 'ticket.too_late': 409, 'ticket.not_neutral': 403, 'ticket.changed': 409,
  'user.not_found': 404, 'user.login_taken': 409, 'unit.unknown': 422, 'rate.limited': 429, 'server.stopping': 503, 'history.broken': 500, 'bot.failed': 500,
  'platform.unreachable': 503, 'platform.refused': 502, 'platform.callback_refused': 403,
  'http.bad_request': 400, 'http.not_found': 404, 'http.method': 405, 'http.too_large': 413, 'http.media_type': 415, 'http.busy': 503,
  'http.internal': 500, 'page.not_built': 503,
};

/** What a caller is told: a code for programs, English for their authors, Chinese for people. */
export interface ErrorBody {
  readonly code: PublicCode;
  readonly message: string;
  readonly text: string;
  readonly requestId: string;
}

interface Answer {
  readonly status: number;
  readonly code: PublicCode;
  /** Only where it says nothing about our insides. */
  readonly message?: string;
}

/** Any thrown value as an answer that leaks nothing: messages of our own 4xx errors go out, all others stay in the log. */
export function toAnswer(error: unknown): Answer {
  if (isAppError(error)) return ofAppCode(error.code, error.message);
  const status = error instanceof Error && 'statusCode' in error ? (error as FastifyError).statusCode : undefined;
  if (status === undefined || status < 400 || status >= 600) return { status: 500, code: 'http.internal' };
  if (status === 503) return { status, code: 'http.busy' };
  if (status >= 500) return { status: 500, code: 'http.internal' };
  return { status, code: httpCode(status), message: (error as Error).message };
}

function ofAppCode(code: ErrorCode, message: string): Answer {
  const status = STATUS[code];
  return status < 500 ? { status, code, message } : { status, code };
}

function httpCode(status: number): HttpCode | ErrorCode {
  switch (status) {
    case 401: return 'auth.required';
    case 403: return 'auth.forbidden';
    case 404: return 'http.not_found';
    case 405: return 'http.method';
    case 413: return 'http.too_large';
    case 415: return 'http.media_type';
    case 429: return 'rate.limited';
    default: return 'http.bad_request';
  }
}

/** Fastify's error handler: one answer shape, and a log line for what is our fault. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = toAnswer(error);
  if (answer.status >= 500) request.log.error({ err: error, code: answer.code }, 'http.failed');
  if (answer.status === 503 || answer.status === 429) reply.header('retry-after', '5');
  return reply.code(answer.status).send(errorBody(answer, request.id));
}

export function errorBody(answer: Answer, requestId: string): ErrorBody {
  const message = answer.message ?? `The server could not do this; its log has the reason under request ${requestId}.`;
  return { code: answer.code, message, text: publicText(answer.code), requestId };
}
