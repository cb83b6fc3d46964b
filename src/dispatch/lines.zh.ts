/** Words the dispatch itself writes; residents and units read them. */
export const CARE_ASK = '居民家中有老人、病人或婴幼儿，请尽快上门照应（送水、送药等），并联系居民';
export const REPORT_NEEDS_PERSON = '举报件不自动派单、抄送和吹哨，由派单员核对被举报单位后确定';
export const CALLED_BY_DIRECTORY = '按派单目录自动吹哨：请到场配合主责单位办理，并在时限内答复';
