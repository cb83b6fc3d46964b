import { describe, expect, test } from 'vitest';
import { changesOf, followed, formOf, type Form } from '../../src/web/desk/draft-form.ts';
import { NO_ADDRESS } from '../../src/bot/draft.ts';
import type { Draft } from '../../src/domain/conversation.ts';

const place = { district: '110106', street: '110106003', community: null };
const draft = (over: Partial<Draft> = {}): Draft => ({
  id: 'd', words: ['楼下KTV唱到半夜'], media: [], type: 'noise.social', typeProbability: 0.8, typeBy: 'model', candidates: [], nature: 'complaint', disposition: 'accept', urgency: 'd7', urgencyEvidence: [],
  lifeSafety: { rules: [], numbers: [], evidence: [] }, address: { ...NO_ADDRESS, text: '楼下', publicText: '楼下' }, missing: [], modelVersion: 'm', startedAt: 0, ...over,
});
const before = draft();
const after = draft({ words: ['楼下KTV唱到半夜', '就在12号楼底商'], urgency: 'h24', address: { ...NO_ADDRESS, text: '楼下 12号楼底商', publicText: '楼下 12号楼底商', building: '12号楼' } });

describe('the resident says more while the operator fills in the form', () => {
  test('an untouched form follows, and opening it would change nothing of the draft', () => {
    const form = followed(formOf(before), formOf(before), formOf(after));
    expect(form).toEqual(formOf(after));
    expect(changesOf(after, form)).toEqual({});
  });
  test.each<[string, Partial<Form>]>([
    ['type', { type: 'noise.traffic' }], ['urgency', { urgency: 'd15' }], ['nature', { nature: 'assistance' }], ['description', { description: '底商KTV深夜扰民' }],
    ['place, with the address beside it', { place, label: '丰台区西罗园街道' }], ['address, with the place beside it', { addressText: '12号楼东侧底商' }],
  ])('what the operator changed stays: %s', (_what, own) => {
    const form = followed({ ...formOf(before), ...own }, formOf(before), formOf(after));
    const kept = 'place' in own || 'addressText' in own ? { place: null, label: '', addressText: '楼下', ...own } : own;
    expect(form).toEqual({ ...formOf(after), ...kept });
  });
});
