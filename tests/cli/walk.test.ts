import { expect, test } from 'vitest';
import { loadCity } from '../../src/app.ts';
import { walkLines } from '../../src/cli/walk-lines.zh.ts';
import type { UnitId } from '../../src/domain/ids.ts';
import { makeApp } from '../fakes/test-app.ts';
import { givenUnderstand, reportText } from '../fakes/understanding.ts';

test('a ticket’s way names who, when, by which row, how long it was held; sealed words only when asked for', async () => {
  const made = await makeApp({ engine: 'sqlite', understand: givenUnderstand });
  try {
    const who = await made.resident();
    await who.says(reportText(7));
    const [opened] = await who.tickets();
    if (!opened) throw new Error('no ticket');
    await who.unitDoes(opened.id, { do: 'accept' });
    made.later(3 * 3_600_000);
    await who.unitDoes(opened.id, { do: 'resolve', answer: '更换水泵，已恢复供水' });
    const city = loadCity(made.config);
    const naming = { catalogue: city.catalogue, unitName: (id: UnitId) => city.units.get(id)?.name ?? id, utcOffsetMinutes: 480 };
    const ticket = await made.app.store.ticket(opened.id);
    if (!ticket) throw new Error('no ticket');
    const history = await made.app.store.history(ticket.id);
    const lines = walkLines(ticket, history, naming, false).join('\n');
    expect(lines).toMatch(/依据 目录 sample-2026-11 条目 utilities\.water；抄送 丰台区人民政府/);
    expect(lines).toMatch(/在手 丰台区供水服务中心 3小时0分/);
    expect(lines).not.toContain('更换水泵');
    expect(walkLines(ticket, history, naming, true).join('\n')).toContain('「更换水泵，已恢复供水」');
  } finally {
    await made.drop();
  }
});
