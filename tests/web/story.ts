import type { Answer } from '../connectors/web/echo-server.ts';
import type { Reply, TicketCard, UnderstoodCard } from '../../src/domain/message.ts';
import type { TicketId } from '../../src/domain/ids.ts';

const MINUTE_MS = 60_000;
const opened = Date.now() - 42 * MINUTE_MS;

export const understoodCard: UnderstoodCard = {
  target: 'draft-1',
  fields: [
    {
      field: 'type', label: '事项', value: '自来水 · 停水', editable: true,
      choices: [{ id: 'utilities.water', label: '自来水 · 停水' }, { id: 'utilities.pipe', label: '给水管道爆裂' }, { id: 'housing.leak', label: '房屋漏水' }],
    },
    { field: 'address', label: '地点', value: '丰台区西罗园街道西罗园第二社区 12 号楼', editable: true },
    { field: 'description', label: '情况', value: '楼前水管爆裂，水已经流到马路上', editable: true },
    { field: 'urgency', label: '紧急程度', value: '2 小时内到场', editable: false },
  ],
};

export const ticketCard = (status: TicketCard['status'], statusName: string): TicketCard => ({
  target: 't-1' as TicketId, number: '261123000042', status, statusName, typeName: '给水管道爆裂', urgency: 'h2', unitName: '丰台区自来水抢修中心', dueAt: opened + 120 * MINUTE_MS,
  fields: [{ field: 'address', label: '地点', value: '西罗园第二社区 12 号楼', editable: true }],
  timeline: [
    { at: opened, text: '已受理，工单 261123000042' },
    { at: opened + 2 * MINUTE_MS, text: '已派单给丰台区自来水抢修中心' },
    { at: opened + 9 * MINUTE_MS, text: '承办单位已接单' },
    { at: opened + 31 * MINUTE_MS, text: '抢修人员已到现场，正在关阀，预计两小时内恢复供水' },
  ],
});

/** Shows every kind of reply there is; the words a test says choose which. */
export const story: Answer = (content): readonly Reply[] => {
  if (content.kind === 'tap') return [{ kind: 'text', text: `好的，已选择「${content.label}」。` }];
  if (content.kind === 'edit') return [{ kind: 'understood', text: '已按您的修改更新。', card: { ...understoodCard, fields: understoodCard.fields.map((field) => (field.field === content.field ? { ...field, value: field.choices?.find((choice) => choice.id === content.value)?.label ?? content.value } : field)) } }];
  if (content.kind === 'image') return [{ kind: 'text', text: '图片收到了，会和您反映的问题一起转给承办单位。' }];
  if (content.kind === 'location') return [{ kind: 'text', text: '位置收到了。' }];
  if (content.kind === 'system' || content.kind === 'unheard') return [];
  if (/着火|煤气/.test(content.text)) return [{ kind: 'emergency', text: '请先离开危险的地方，并立即拨打 119；有人受伤请拨打 120。我同时把情况转给人工坐席。', numbers: ['119', '120'] }];
  if (/水管|停水/.test(content.text)) return [{ kind: 'understood', text: '我记下了：西罗园第二社区 12 号楼前水管爆裂。', card: understoodCard, chips: [{ id: 'confirm', label: '没错，请受理' }, { id: 'human', label: '转人工' }] }];
  if (/进度|到哪/.test(content.text)) return [{ kind: 'ticket', text: '您的工单正在办理：抢修人员已到现场。', card: ticketCard('in_progress', '办理中'), chips: [{ id: 'supplement', label: '补充情况' }, { id: 'withdraw', label: '问题已解决，撤回' }] }];
  return [{ kind: 'text', text: '请问是哪个小区、几号楼？', chips: [{ id: 'a1', label: '西罗园第二社区' }, { id: 'a2', label: '西罗园第三社区' }, { id: 'other', label: '其他地方' }] }];
};
