import type { HandoffReason } from '../domain/conversation.ts';
import type { Chip } from '../domain/message.ts';

/** Everything the bot says. Plain, short, and only what is true at the moment it is said. */

export const EMERGENCY_ZH: Readonly<Record<string, string>> = {
  '119': '火警、被困、燃气泄漏请立即拨打 119',
  '120': '有人受伤或突发疾病请立即拨打 120',
  '110': '遇到违法侵害或人身危险请立即拨打 110',
  '122': '交通事故请立即拨打 122',
};

export const CHIPS = {
  human: { id: 'human', label: '转人工' },
  status: { id: 'status', label: '查进度' },
  skipBuilding: { id: 'skip:building', label: '说不清，就这样' },
  skipAddress: { id: 'skip:address', label: '我说不清地点' },
  otherType: { id: 'type:other', label: '都不是' },
  cancelDraft: { id: 'cancel', label: '不反映了' },
  stopWaiting: { id: 'stop_waiting', label: '不等了，继续自助' },
  withdrawYes: { id: 'withdraw:yes', label: '确定撤回' },
  withdrawNo: { id: 'withdraw:no', label: '不撤了' },
  lastAddress: { id: 'addr:last', label: '还是刚才的地点' },
  care: { id: 'care', label: '家里有老人病人或婴儿，要照应' },
  notSame: { id: 'matter:new', label: '这是另一件事' },
} as const satisfies Record<string, Chip>;

export const SAY = {
  greeting: '您好，我是12345接诉即办智能助手「即办」。您遇到什么事、在哪里，直接说就行，比如「我们小区12号楼停水了」。有危险请先打110、119、120。',
  thanks: '不客气，有事随时说。',
  chat: '这个我帮不上忙。我能受理身边的难事：停水停电、噪音、路灯、违停、物业等等，请告诉我什么事、在哪里。',
  nonsense: '没看明白您的意思。请用一两句话说说什么事、在哪里；也可以转人工。',
  empty: '这条消息里没有可读的内容，请再发一次。',
  askAddress: (what: string) => `${what}请问具体在哪里？写小区、街道或路口都行，最好带上楼号；也可以发定位。`,
  askBuilding: (place: string) => `收到，${place}。具体是几号楼（或哪个位置）？`,
  askPlace: (name: string) => `「${name}」不止一处，是哪一个？`,
  askType: '想准确派单，请您选一下是哪类事情：',
  askWhat: '具体是什么情况？请再说一两句，方便单位上门前准备。',
  askTime: '大概是什么时候发生的（或一般几点）？',
  askParty: '请说一下对方的名称（单位、商家或车牌），没有也可以说说特征。',
  askTicket: '是之前的哪件事？告诉我工单编号后几位，或者说说是什么事。',
  rephrase: '没太明白您的意思，换个说法再讲一遍好吗？什么事、在哪里。',
  opened: (title: string, due: string) => `已为您立单：${title}。正在确定承办单位，最迟${due}前办结，每一步我都会告诉您。`,
  openedEmergency: (title: string, due: string) => `已按特急立单：${title}，最迟${due}前处置。请先保证自身安全，不要等我们，先拨紧急电话。`,
  careAsked: (title: string) => `好的，已请街道、社区上门照应，送水送药等需要直接跟他们说就行。工单${title}照常办理。`,
  careAlready: '已经请街道、社区上门照应了，他们会跟您联系。',
  wrongHint: '有写错的地方，点卡片上那一项就能改。',
  supplemented: (title: string) => `已补充到工单：${title}，承办单位会看到。`,
  merged: (title: string, status: string) => `您反映过这件事，工单${title}目前：${status}。您刚说的已补充进去，不用重复反映。`,
  corrected: (title: string) => `已更正工单：${title}。`,
  correctionAdded: (title: string) => `承办单位已经接单，您的更正已作为补充转给他们：${title}。`,
  draftChanged: '已改好。',
  status: (title: string, status: string) => `${title}目前：${status}。`,
  noTicket: '没有查到您的工单。您想反映什么事？说说是什么情况、在哪里。',
  pictureFirst: '图片收到了。请说一下是什么事、在哪里。',
  pictureAdded: '图片收到了，会附在工单里。',
  locationFirst: (label: string) => `位置收到了${label === '' ? '' : `：${label}`}。请问是什么事？`,
  draftDropped: '好的，这件事不再记录。以后有需要随时说。',
  confirmWithdraw: (title: string) => `要撤回${title}吗？撤回后单位不再办理。`,
  withdrawn: (title: string) => `已撤回：${title}。`,
  keptTicket: '好的，工单照常办理。',
  cannotWithdraw: (title: string, status: string) => `${title}${status}，不能再撤回。`,
  nothingToCancel: '目前没有正在办理的诉求。',
  laterMatter: (what: string) => `还有一件：${what}。`,
  noted: (what: string) => `您说的另一件事（${what}）也记下了，先把这件说完。`,
  emergency: (numbers: readonly string[]) => numbers.map((number) => EMERGENCY_ZH[number] ?? `请立即拨打 ${number}`).join('；') + '。请先到安全的地方。',
  waitingAck: '您说的我都转给人工了，接线员看得到，请稍等。',
  stillWaiting: (minutes: number) => `还在排队，预计${minutes}分钟内有人接待。`,
  backToBot: '好的，继续由我来办。请接着说。',
  operatorGone: '接线员已结束本次人工服务，接下来由我继续。',
  modelDown: '系统现在无法自动判断，您的话已完整记录，并已转给人工处理。',
  turnFailed: '刚才这条消息我没能处理好，已原样转给人工，不会丢失。',
  surveyIntro: '',
  praise: '谢谢您的肯定，会转达给他们。',
  rateNone: '谢谢您的评价。',
  tooFarOutside: '这个地点看起来不在本市。12345 只能受理本市的事，请拨当地的 12345（区号+12345）；如果是本市的地点，请告诉我是哪个区。',
} as const;

export const HANDOFF_SAY: Readonly<Record<HandoffReason, (minutes: number) => string>> = {
  asked_for_human: (m) => `好的，正在为您转接人工，预计${m}分钟内接待。您可以先把情况说一说，接线员会看到。`,
  low_confidence: (m) => `这件事我拿不准归谁管，不敢乱派，已请人工来看，预计${m}分钟内回复您。`,
  no_address: (m) => `地点我没能弄清楚，已请人工帮您确认，预计${m}分钟内回复您。`,
  angry: (m) => `让您受累了。我已请人工来跟您沟通，预计${m}分钟内回复，您说的都记下了。`,
  sensitive: (m) => `这件事需要人工来办。按《接诉即办工作条例》第十一条，诉讼、纪检监察、信访等事项有专门的法定渠道，工作人员会告诉您怎么走，预计${m}分钟内回复。`,
  emergency: (m) => `已请值班人员立即跟进，预计${m}分钟内联系您。请先拨紧急电话，不要等。`,
  model_unavailable: (m) => `系统现在无法自动判断，您的话已完整记录，并已转给人工，预计${m}分钟内回复您。`,
  turn_failed: (m) => `刚才这条消息我没能处理好，已原样转给人工，不会丢失，预计${m}分钟内回复您。`,
  not_understood: (m) => `我还是没弄明白，已请人工来看，预计${m}分钟内回复您。`,
  unheard: (m) => `您发的内容我没法听、没法看，已请人工来处理，预计${m}分钟内回复您。您也可以把是什么事、在哪里写成文字发给我。`,
  objection: (m) => `您的意见已记录，已请人工来看，预计${m}分钟内回复您。`,
};

export const UNHEARD_NOTE = {
  voice: '居民发来语音，没有识别出文字，请收听。', video: '居民发来视频，请观看。', other: '居民发来一条系统不支持的内容，请联系居民问明。',
} as const;

export const WAITING_OVERDUE_SAY = (minutes: number, times: number): string =>
  `让您久等了，刚才说的时间没能做到，接线员还在忙。已${times > 1 ? '再次' : ''}加急提醒，请再等约${minutes}分钟；您也可以点「不等了，继续自助」，或拨打12345热线。`;

/** Minutes a resident may wait for an operator before the queue escalates, by urgency. */
export const WAIT_MINUTES = { h2: 2, h24: 5, d7: 10, d15: 10 } as const;

export const FOLLOW_UP_ZH = {
  contacted: '工单{{{vars.number}}}（{{{vars.title}}}）承办单位说已办结。想跟您核实三件事：\n① 单位联系过您吗？',
  solved: '② 问题解决了吗？',
  satisfied: '③ 您对办理满意吗？',
  unsolved: '还差在哪里？请说一句，我原样转给承办单位重新办。',
  yesNo: (yes: string, no: string) => [{ title: yes, payload: 'yes' }, { title: no, payload: 'no' }],
  thanksSolved: '谢谢您的评价，工单已归档。以后有事随时说。',
  reopened: (title: string, due: string) => `明白了，没有解决就不算完。${title}已退回原单位重新办理，最迟${due}前办结。`,
} as const;
