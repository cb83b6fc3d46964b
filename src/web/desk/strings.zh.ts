import type { Channel } from '../../domain/message.ts';
import type { HandoffReason, Mode } from '../../domain/conversation.ts';
import type { Role } from '../../domain/desk.ts';
import type { TicketEventKind, TicketStatus } from '../../domain/ticket.ts';
import type { EscalationLevel, TimeWish } from '../../domain/ticket-work.ts';
import type { Disposition, MissingField, Urgency } from '../../domain/understanding.ts';

/** Every word the desk shows. */
export const urgencyNames: Record<Urgency, string> = { h2: '特急', h24: '紧急', d7: '一般', d15: '疑难' };
export const urgencySpans: Record<Urgency, string> = { h2: '2 小时', h24: '24 小时', d7: '7 天', d15: '15 天' };
export const statusNames: Record<TicketStatus, string> = {
  opened: '已立单', unrouted: '待定单位', dispatched: '待接单', accepted: '已接单', in_progress: '办理中',
  returned: '退单待裁定', resolved: '已办结', following_up: '回访中', archived: '已归档', withdrawn: '已撤回',
};
export const reasonNames: Record<HandoffReason, string> = {
  asked_for_human: '要求人工', low_confidence: '拿不准', no_address: '地址不清', angry: '情绪激动', sensitive: '敏感事项',
  emergency: '紧急情况', model_unavailable: '识别不可用', turn_failed: '处理出错', not_understood: '没听懂', objection: '居民有异议', unheard: '语音或视频',
};
export const modeNames: Record<Mode, string> = { bot: '机器人接待', waiting: '等待人工', operator: '人工接待' };
export const channelNames: Record<Channel, string> = { web: '网页', 'wechat-official': '公众号', 'wecom-kf': '微信客服', internal: '内部' };
export const roleNames: Record<Role, string> = { admin: '管理员', operator: '接线员', dispatcher: '派单员', unit: '承办单位' };
export const dispositionNames: Record<Disposition, string> = {
  accept: '受理派单', answer: '直接答复', emergency_line: '转紧急电话', legal_channel: '告知法定渠道', repeat: '重复诉求',
  confidential: '涉密或隐私', market_channel: '市场与社会渠道', unlawful: '违法悖俗', chat: '非诉求',
};
export const stepNames: Record<TicketEventKind, string> = {
  ticket_opened: '立单', ticket_dispatched: '派单', ticket_unrouted: '未找到对应单位', ticket_accepted: '接单', ticket_progress: '办理进展',
  ticket_returned: '退单', ticket_resolved: '办结', ticket_follow_up_asked: '发出回访', ticket_follow_up_answered: '居民评价',
  ticket_reopened: '未解决，重新办理', ticket_archived: '归档', ticket_withdrawn: '居民撤回', ticket_supplemented: '居民补充', ticket_corrected: '更正', ticket_overdue: '超时提醒',
  ticket_objection_refused: '裁定：仍由原单位办理', ticket_bounced: '往返派单预警', ticket_whistled: '吹哨', ticket_reported_in: '报到', ticket_task_answered: '协办答复', ticket_task_closed: '撤销吹哨',
  ticket_time_asked: '申请调整时限', ticket_time_granted: '时限申请获批', ticket_time_refused: '时限申请未批', ticket_resumed: '恢复计时', ticket_stage_entered: '进入下一阶段',
  ticket_reminded: '催办提醒', ticket_escalated: '上报督办', ticket_excluded: '不计入考核',
};
export const timeWishNames: Record<TimeWish, string> = { extend: '延期', pause: '暂停计时', stages: '分阶段办理（挂账）' };
export const levelNames: Record<EscalationLevel, string> = { street: '街道督办', district: '区级督办', city: '市级督办' };
export const missingNames: Record<MissingField, string> = { address: '地址', building: '楼栋', what: '具体情况', time: '时间', party: '对方', ticket: '工单' };
export const actorNames = { bot: '即办助手', system: '系统', resident: '居民', operator: '接线员', unit: '承办单位' } as const;

export const errorTexts = {
  network: '连不上服务器，请检查网络后再试；没有提交成功。',
  unknown: '没有成功，请稍后再试。',
  'conversation.taken': '已被其他接线员接入。',
  'conversation.not_yours': '这个会话现在不在您手上。',
  'ticket.changed': '内容刚被别人改动过，已为您刷新。',
  'ticket.wrong_state': '工单状态已变化，不能这样操作，已为您刷新。',
  'ticket.too_late': '规定的时间已过，不能再这样操作。',
  'ticket.not_neutral': '您与争议的一方属于同一单位，请由其他派单员裁定。',
  'unit.unknown': '没有这个单位，请从列表里选。',
  'ticket.not_found': '没有这张工单，或它已不归本单位。',
  'auth.invalid': '账号或密码不对。',
  'auth.locked': '密码错误次数过多，账号锁定 15 分钟。',
  'auth.link_used': '这个链接已用过或已失效，请重启即办获取新链接。',
  'auth.forbidden': '您的角色没有这项权限。',
  'user.login_taken': '这个账号名已有人用。',
  'message.invalid': '填写不完整或不符合要求，请检查。',
  'rate.limited': '操作太频繁，请等一分钟。',
} as const;

export const words = {
  product: '12345 即办', desk: '工作台', signOut: '退出', retry: '重试', cancel: '取消', save: '保存', close: '关闭', more: '加载更多', loading: '加载中…',
  nav: { queue: '接待', tickets: '工单', dispatch: '派单', directory: '目录', users: '账号', dead: '异常' },
  stale: '连接中断，内容可能不是最新，正在重连…', fresh: '实时',
  signIn: {
    title: '登录工作台', login: '账号', password: '密码', submit: '登录', busy: '登录中…',
    hint: '首次使用？请打开启动时终端里打印的一次性链接，创建第一个账号。',
  },
  setUp: {
    title: '创建第一个账号', about: '这个账号同时是管理员、接线员和派单员；以后可在“账号”里为同事和承办单位开通账号。', name: '姓名（居民会看到）', login: '账号（小写字母、数字）',
    password: '密码（至少 10 位）', again: '再输一遍密码', submit: '创建并进入', mismatch: '两次密码不一样。', closed: '这个链接已用过或已失效。重启即办会打印新的链接；已有账号请直接登录。',
  },
  queue: {
    title: '接待队列', waiting: '等待接入', mine: '我的会话', others: '同事接待中', empty: '没有人在等。', waited: '已等', left: '还剩', over: '已超时', escalated: '已升级', pick: '从左侧选一位居民。',
    claim: '接入', takeOver: '接管', release: '退回队列', handBack: '交还机器人',
  },
  talk: {
    placeholder: '回复居民…（Enter 发送，Shift+Enter 换行）', claimFirst: '接入后可以回复', send: '发送', older: '更早的消息', operatorNow: '正在接待', erased: '居民已要求删除个人数据，对话不再可读。',
    download: '下载', unheard: { voice: '语音（请下载收听）', video: '视频（请下载观看）', other: '收到一条无法显示的内容' },
    picture: '图片', location: '位置', edited: '更正', tapped: '点选', you: '我', failed: '未发出，点此重发', sending: '发送中…', follow_up_due: '到回访时间', writes: '居民正在输入…',
  },
  machine: {
    title: '机器的判断', why: '转人工原因', candidates: '事项', key: '按数字键选择', other: '其他事项…', search: '按名称或说明查找', urgency: '时限', evidence: '依据', nature: '性质', address: '地点',
    addressText: '详细地址', building: '楼栋', rivals: '哪一个？', searchPlace: '查找社区、街道', noPlace: '还没有确定到行政区划', description: '给承办单位看的描述（不写电话、姓名、门牌）', words: '居民原话',
    missing: '还缺', open: '开单派发', save: '保存更正', redraft: '按原话重新识别', noDraft: '还没有诉求草稿。', makeDraft: '根据居民的话生成', route: '将派往', unrouted: '将由派单员决定', later: '后面还有其他诉求：',
    tickets: '这位居民的工单', noTickets: '还没有工单。', opened: '已开单', byOperator: '已更正', lifeSafety: '涉及人身安全，应告知', disposition: '处置方式', model: '模型',
    special: '按第十一条答复（不立单）', tell: '告知居民', told: '已告知，居民可以点「我不同意」',
  },
  ticket: {
    title: '工单', todo: '待接单', called: '吹哨', doing: '办理中', done: '已办结', all: '全部', empty: '这里没有工单。', pick: '从左侧选一张工单。', due: '办结期限', actBy: { dispatched: '接单期限', unrouted: '定单位期限', returned: '裁定期限' }, overdue: '已超期', left: '剩',
    hops: '第 {n} 家单位', reopened: '重办 {n} 次', number: '编号', address: '地点', contact: '电话', room: '详细地址', words: '居民原话', pictures: '图片', timeline: '办理过程', back: '返回列表', search: '按编号打开', find: '打开',
    hidden: { not_for_you: '详细地址和联系方式只对承办单位和接线员显示。', reporter_protected: '举报件：举报人信息依法保密。', erased: '居民已要求删除个人数据。' },
    actions: { accept: '接单', progress: '发布进展', return: '退单', resolve: '办结', dispatch: '派单', correct: '更正' },
    note: '进展（居民会收到）', notePlaceholder: '例如：抢修队已到现场，预计 18 点恢复供水。', addPicture: '添加图片', uploading: '上传中…', returnReason: '退单理由（由派单员裁定，不影响办结期限）', answer: '办结答复（写明做了什么，居民会收到）', answerMin: '至少 10 个字，说清做了什么。', dispatchTo: '派给', dispatchReason: '理由（写入办理过程）', unitSearch: '输入单位名称',
    openConversation: '查看对话', done_accept: '已接单', done_progress: '进展已发布，居民会收到', done_return: '已退单，等待派单员裁定', done_resolve: '已办结，系统会回访居民', done_dispatch: '已派出', done_correct: '已更正', pictureOf: '工单图片', dispatchedTo: '派给', concerns: '单位：', was: '原为',
  },
  work: {
    title: '协同与时限', called: '吹哨协办', care: '上门照应', reportBy: '报到期限', answerBy: '答复期限', reported: '已报到', notReported: '未报到', late: '已超时', done: '已答复', declined: '答复：不属其职责', closed: '已撤销',
    reportIn: '我已到场（报到）', answer: '答复主责单位（做了什么）', sendAnswer: '提交答复', decline: '不属我单位职责', closeTask: '撤销', closeReason: '协办事项已不需要', whistle: '吹哨', whistleTo: '请哪家单位到场', whistleAsk: '请它做什么', add: '加入', remove: '移除',
    'ask-time': '申请时限', want: '申请', until: '到哪一天', reason: '原因（居民会看到）', 'decide-time': '审批时限', asks: '{unit}申请{want}，到 {until}', grant: '批准', refuse: '不批准', because: '理由', 'refuse-objection': '裁定仍由原单位办理', resume: '恢复计时', 'next-stage': '进入下一阶段', stageNote: '这一阶段做了什么', exclude: '不计入考核',
    paused: '暂停计时到 {until}：{reason}', stage: '挂账办理：{name}，{until} 前完成', next: '下一步：{name}', last: '最后一个阶段', objectBy: '可在 {until} 前提出异议', suggests: '建议改派给（可不填）', leads: '经手单位', excluded: '不计入三率：{reason}', done_any: '已提交',
  },
  dispatch: { title: '待派单', empty: '没有等待派单的工单。', about: '没有对应单位的工单，和单位退回的工单。' },
  directory: {
    title: '派单目录', about: '写成草稿，检查，用过去的工单试派，再生效。生效的版本不能改，只能由新版本接替。', inForce: '生效中', states: { draft: '草稿', released: '已发布', file: '文件' }, from: '自', text: '目录内容（YAML 或 CSV）',
    check: '检查', replay: '用过去的工单试派', save: '存为草稿', release: '生效', saved: '草稿已保存', released: '已发布，从生效日起按新目录派单', order: '先检查、试派、存草稿，才能生效。',
    sound: '没有错误：{version}，{rows} 条，自 {from} 起', mistakes: '{n} 处错误', notes: '提示', elsewhere: '{of} 件中有 {n} 件会派到别处，其中 {d} 件要由派单员确定', was: '原派', goes: '改派', row: '依据', dispatcher: '派单员',
  },
  users: {
    title: '账号', add: '新建账号', login: '账号', name: '姓名', roles: '角色', unit: '单位', password: '初始密码（至少 10 位）', create: '创建', disable: '停用', enable: '启用', disabled: '已停用', created: '已创建', unitRule: '承办单位账号只能有这一个角色，并属于一个单位。', you: '本人', state: '状态', active: '正常',
  },
  dead: { title: '异常', about: '多次尝试后放弃的消息、任务和通知。确认原因后可以再试。', empty: '没有异常。', kinds: { outbox: '通知未送达', job: '任务失败', inbox: '消息处理失败' }, tries: '尝试 {n} 次', retry: '再试一次', retried: '已重新排队' },
  help: {
    title: '快捷键', keys: [['1 – 5', '选择第几个事项'], ['Enter', '发送（Shift+Enter 换行）'], ['J / K', '下一位 / 上一位'], ['A', '接入当前会话'], ['R', '光标到回复框'], ['Esc', '离开输入框 / 关闭'], ['?', '显示或关闭本说明']],
  },
  ago: { now: '刚刚', minutes: '分', hours: '小时', days: '天', seconds: '秒' },
} as const;
