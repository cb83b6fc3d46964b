/** Every code the system can raise, `area.what`. `server/error-handler.ts` alone turns codes into HTTP statuses. */
export const ERROR_CODES = [
  'config.invalid',
  'store.unreachable', 'store.locked', 'store.full', 'store.bad_value', 'store.newer_schema', 'store.corrupt',
  'key.mismatch', 'key.missing', 'key.destroyed', 'key.unreadable',
  'model.missing', 'model.hash_mismatch', 'model.bad_output', 'model.unavailable', 'model.timeout', 'model.busy', 'training.invalid',
  'segmenter.missing', 'gazetteer.invalid', 'catalogue.invalid', 'directory.invalid', 'directory.refused',
  'message.invalid', 'message.too_large', 'media.invalid', 'media.too_large', 'media.not_found',
  'auth.required', 'auth.forbidden', 'auth.invalid', 'auth.locked', 'auth.link_used',
  'conversation.not_found', 'conversation.taken', 'conversation.not_yours',
  'ticket.not_found', 'ticket.wrong_state', 'ticket.too_late', 'ticket.not_neutral', 'ticket.changed',
  'user.not_found', 'user.login_taken',
  'unit.unknown', 'rate.limited', 'server.stopping', 'history.broken', 'bot.failed',
  'platform.unreachable', 'platform.refused', 'platform.callback_refused',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Something is broken or refused; says what and, where it can, what to do next. Knows nothing of HTTP. */
export class AppError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}
