import { AppError, isAppError } from '../domain/errors.ts';
import type { Understand, UnderstandContext } from '../domain/ports.ts';
import type { Understanding } from '../domain/understanding.ts';

/** `urgent`: someone may be in danger, and the rules have already said so. */
export type PatientUnderstand = (text: string, context?: UnderstandContext, about?: { readonly urgent: boolean }) => Promise<Understanding>;

export interface Patience {
  /** A little above the pool's own limit, whose error says more. */
  readonly usualMs: number;
  /** The number to call and the operator do not depend on the model; what it would add is not worth more. */
  readonly urgentMs: number;
  /** Once so many messages in a row ran out of time … */
  readonly tiredAfter: number;
  /** … each of the next waits only so long, until one is answered: a stalled model must not stall the line behind it. */
  readonly tiredMs: number;
}

export const PATIENCE: Patience = { usualMs: 5_000, urgentMs: 800, tiredAfter: 3, tiredMs: 400 };

/** The same understanding, given up in time. @throws AppError `model.timeout` besides what `understand` throws */
export function patient(understand: Understand, patience: Patience = PATIENCE): PatientUnderstand {
  let late = 0;
  return async (text, context, about) => {
    const usual = late >= patience.tiredAfter ? patience.tiredMs : patience.usualMs;
    try {
      const understanding = await within(understand(text, context), about?.urgent === true ? Math.min(usual, patience.urgentMs) : usual);
      late = 0;
      return understanding;
    } catch (error) {
      if (isAppError(error, 'model.timeout')) late += 1;
      throw error;
    }
  };
}

async function within<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('model.timeout', `not understood within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
