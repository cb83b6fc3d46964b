import { describe, expect, test } from 'vitest';
import { mergeAddress, NO_ADDRESS, placedAt, stillMissing } from '../../src/bot/draft.ts';
import type { Draft, DraftAddress } from '../../src/domain/conversation.ts';
import type { Place } from '../../src/domain/understanding.ts';

const community: Place = { district: '110106', street: '110106003', community: '110106003002' };
const other: Place = { district: '110106', street: '110106003', community: '110106003003' };
const area: DraftAddress = { ...NO_ADDRESS, text: '西罗园第二社区', publicText: '西罗园第二社区', place: community, label: '丰台区西罗园街道西罗园第二社区' };
const building = (text: string): DraftAddress => ({ ...NO_ADDRESS, text, publicText: text, building: text });
const draft = (over: Partial<Draft> = {}): Draft => ({
  id: 'd', words: ['没水'], media: [], type: 'utilities.water', typeProbability: 0.9, typeBy: 'model', candidates: [], nature: 'assistance', disposition: 'accept', urgency: 'h24',
  urgencyEvidence: [], lifeSafety: { rules: [], numbers: [], evidence: [] }, address: NO_ADDRESS, missing: ['address'], modelVersion: 'm', startedAt: 0, ...over,
});
const needs = (type: string) => ({ place: true, building: type.startsWith('utilities') });

describe('an address told in pieces', () => {
  test('a building goes to the area known before', () => {
    expect(mergeAddress(area, building('12号楼'), 'add')).toMatchObject({ text: '西罗园第二社区 12号楼', building: '12号楼', place: community });
  });
  test('another building replaces the first', () => {
    const known = mergeAddress(area, building('12号楼'), 'add');
    expect(mergeAddress(known, building('8号楼'), 'add')).toMatchObject({ text: '西罗园第二社区 8号楼', building: '8号楼' });
  });
  test('a corrected place replaces the old one', () => {
    const piece: DraftAddress = { ...area, text: '西罗园第三社区', publicText: '西罗园第三社区', place: other, label: '西罗园第三社区' };
    expect(mergeAddress(area, piece, 'replace')).toMatchObject({ place: other, text: '西罗园第三社区' });
  });
  test('an area told after the building joins it', () => {
    expect(mergeAddress(building('12号楼'), area, 'add')).toMatchObject({ place: community, building: '12号楼' });
  });
  test('the district settles between rivals', () => {
    const rivals = [{ place: community, label: '丰台', score: 1 }, { place: { district: '110105', street: '110105001', community: '110105001001' }, label: '朝阳', score: 1 }];
    const known: DraftAddress = { ...NO_ADDRESS, text: '幸福里', publicText: '幸福里', rivals };
    const district: DraftAddress = { ...NO_ADDRESS, text: '朝阳区', publicText: '朝阳区', place: { district: '110105', street: null, community: null }, label: '朝阳区' };
    expect(mergeAddress(known, district, 'add')).toMatchObject({ place: { community: '110105001001' }, rivals: [] });
  });
  test('nothing told changes nothing', () => expect(mergeAddress(area, NO_ADDRESS, 'add')).toBe(area));
});

describe('what is still to be asked', () => {
  test('once the area is known a matter of one building asks which', () => {
    expect(stillMissing(draft(), area, true, needs)).toEqual(['building']);
    expect(stillMissing(draft(), mergeAddress(area, building('12号楼'), 'add'), true, needs)).toEqual([]);
    expect(stillMissing(draft({ type: 'roads.lighting' }), area, true, needs)).toEqual([]);
    expect(stillMissing(draft(), { ...area, publicText: '西罗园第二社区东门' }, true, needs)).toEqual([]);
  });
  test('a question that needed no place is not asked for one', () => {
    expect(stillMissing(draft({ missing: [] }), NO_ADDRESS, true, needs)).toEqual([]);
  });
  test('what was asked and answered with anything is not asked again', () => {
    expect(stillMissing(draft({ missing: ['party'] }), NO_ADDRESS, true, needs)).toEqual([]);
    expect(stillMissing(draft({ missing: ['party'] }), NO_ADDRESS, false, needs)).toEqual(['party']);
  });
  test('「楼下」 of a second matter hangs on the first one’s place; a place of its own stays', () => {
    const below = draft({ type: 'roads.lighting', address: { ...NO_ADDRESS, text: '楼下', publicText: '楼下' } });
    expect(placedAt(below, area, needs)).toMatchObject({ address: { place: community, publicText: '西罗园第二社区 楼下' }, missing: [] });
    const elsewhere = draft({ address: { ...area, place: other } });
    expect(placedAt(elsewhere, area, needs)).toBe(elsewhere);
  });
});
