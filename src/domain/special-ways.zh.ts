import type { Draft } from './conversation.ts';
import type { SpecialKey } from './special-ways.ts';

const ACCORDING = (item: string): string => `按《北京市接诉即办工作条例》第十一条第三款第（${item}）项，`;

/** What the operator chooses from, and what the resident reads. Says where to go and what is not promised. */
export const SPECIAL_WAY_ZH: Readonly<Record<SpecialKey, { readonly name: string; readonly say: string }>> = {
  'emergency_line:police': { name: '紧急：110', say: `${ACCORDING('一')}这类紧急情况请立即拨打 110，不要等这里回复。` },
  'emergency_line:fire': { name: '紧急：119', say: `${ACCORDING('一')}火警和被困救援请立即拨打 119，不要等这里回复。` },
  'emergency_line:ambulance': { name: '紧急：120', say: `${ACCORDING('一')}有人受伤或突发疾病请立即拨打 120，不要等这里回复。` },
  'emergency_line:traffic_police': { name: '紧急：122', say: `${ACCORDING('一')}交通事故请立即拨打 122，不要等这里回复。` },
  'legal_channel:court': { name: '诉讼：人民法院', say: `${ACCORDING('二')}这件事要走诉讼程序，由人民法院依法处理，12345 不能代替也不能过问审判。立案和诉讼问题可以拨打 12368 诉讼服务热线。` },
  'legal_channel:enforcement': { name: '诉讼：申请执行', say: `${ACCORDING('二')}生效裁判的执行由人民法院负责。您可以向执行法院申请执行或反映财产线索，也可以拨打 12368 诉讼服务热线联系执行法官。` },
  'legal_channel:labour_arbitration': { name: '仲裁：劳动争议', say: `${ACCORDING('二')}劳动争议可以向劳动合同履行地或用人单位所在地的劳动人事争议仲裁委员会申请仲裁，政策可以拨打 12333 咨询。仲裁有时效，请尽早。` },
  'legal_channel:discipline': { name: '纪检监察：12388', say: `${ACCORDING('二')}反映党员、公职人员违纪违法，由纪检监察机关受理，可以拨打 12388 或登录中央纪委国家监委举报网站。您的信息依法保密。` },
  'legal_channel:reconsideration': { name: '行政复议', say: `${ACCORDING('二')}不服行政机关的决定，可以依法申请行政复议，一般自知道该决定之日起六十日内提出；受理机关和期限以决定书写明的为准。` },
  'legal_channel:disclosure': { name: '政府信息公开', say: `${ACCORDING('二')}要取得政府信息，可以向制作或保存它的行政机关提出政府信息公开申请，各机关网站的「政府信息公开」栏目写明了方式。` },
  'legal_channel:petition': { name: '信访', say: `${ACCORDING('二')}信访事项由信访部门按信访程序办理，可以通过国家信访局网站、当地信访部门网站或来信来访提出。` },
  'repeat:progress': { name: '重复：告知进度', say: `${ACCORDING('三')}这件事已经有工单，没有新的情况就不再重复立单。发「查进度」可以看到办到哪一步；有新的情况请直接补充。` },
  'confidential:protected': { name: '涉密、商业秘密、隐私', say: `${ACCORDING('四')}您问到的内容涉及国家秘密、商业秘密或他人隐私，依法不能办理或告诉您。` },
  'market_channel:market': { name: '市场、社会渠道', say: `${ACCORDING('五')}这件事不在政府职责范围内，要通过市场或社会渠道解决，请直接联系相关企业、行业组织或社会服务机构。` },
  'market_channel:consumer': { name: '民事消费纠纷', say: `${ACCORDING('五')}这是双方之间的民事纠纷，可以先与对方协商，也可以请消费者协会或人民调解组织调解；协商不成可以依法起诉。若涉及违法经营，请说明情况。` },
  'unlawful:persuasion': { name: '违法或违背公序良俗', say: `${ACCORDING('六')}您要求的事违反法律法规或公序良俗，不能办理；真这样做，可能要承担法律责任，请不要去做。` },
};
export const OBJECT_CHIP = { id: 'special:object', label: '我不同意' } as const;

/** Words of a proceeding → its channel, the most particular first. Only a suggestion in the operator's list. */
const CHANNELS: readonly (readonly [RegExp, SpecialKey])[] = [
  [/纪委|监委|贪污|受贿|吃拿卡要|公车私用|渎职|红包/u, 'legal_channel:discipline'],
  [/复议/u, 'legal_channel:reconsideration'],
  [/信息公开|政务公开|依申请公开/u, 'legal_channel:disclosure'],
  [/信访|上访/u, 'legal_channel:petition'],
  [/执行局|执行法官|强制执行|失信|老赖/u, 'legal_channel:enforcement'],
  [/劳动仲裁|仲裁/u, 'legal_channel:labour_arbitration'],
  [/法院|起诉|官司|判决|开庭|立案|传票/u, 'legal_channel:court'],
];

/** The entry of the list that is shown first; null: nothing speaks for a special way. */
export function suggestedWay(draft: Pick<Draft, 'disposition' | 'words'>): SpecialKey | null {
  const words = draft.words.join('\n');
  switch (draft.disposition) {
    case 'legal_channel': return CHANNELS.find(([pattern]) => pattern.test(words))?.[1] ?? 'legal_channel:court';
    case 'repeat': return 'repeat:progress';
    case 'confidential': return 'confidential:protected';
    case 'market_channel': return /退[款货钱差]|商家|卖家|消费/u.test(words) ? 'market_channel:consumer' : 'market_channel:market';
    case 'unlawful': return 'unlawful:persuasion';
    case 'emergency_line': case 'accept': case 'answer': case 'chat': return null;
    default: return draft.disposition satisfies never;
  }
}
