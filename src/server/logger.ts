import { pino, type DestinationStream, type Logger } from 'pino';
import { censor } from './redact.ts';

const DEBUG = 20;

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly destination?: DestinationStream;
}

/** JSON lines; above `debug` nothing a resident said, nor who they are, nor any secret gets through. */
export function buildLogger(options: LoggerOptions): Logger {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => error, error: (error: unknown) => error, req: requestLine, res: responseLine },
    hooks: {
      logMethod(input, method, level) {
        method.apply(this, level <= DEBUG ? input : (input.map((part) => censor(part)) as typeof input));
      },
    },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}

/** The path without its query: links may carry one-time secrets there. */
function requestLine(request: { method?: string; url?: string }): object {
  return { method: request.method, path: request.url?.split('?')[0] };
}

function responseLine(reply: { statusCode?: number }): object {
  return { status: reply.statusCode };
}
