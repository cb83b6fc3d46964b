import { z } from 'zod';
import type { Page } from '../../domain/ports.ts';
import type { Place } from '../../domain/understanding.ts';
import { NATURES, URGENCIES } from '../../domain/understanding.ts';

export const pageQuery = z.object({ cursor: z.string().max(200).optional(), limit: z.number().int().min(1).max(100).default(30) });
export const toPage = ({ cursor, limit }: z.infer<typeof pageQuery>): Page => ({ limit, ...(cursor !== undefined && { cursor }) });

export const idParams = z.object({ id: z.string().min(1).max(64) });
export const mediaParams = z.object({ id: z.string().min(1).max(64), mediaId: z.string().min(1).max(64) });

const code = z.string().max(20).nullable();
export const place: z.ZodType<Place> = z.object({ district: code, street: code, community: code });
export const issueType = z.string().min(1).max(64);
export const nature = z.enum(NATURES);
export const urgency = z.enum(URGENCIES);
export const freeText = z.string().max(4000);
