/** Words the dispatch itself writes; residents and units read them. */
export const CALLED_BY_DIRECTORY = '按派单目录自动吹哨：请到场配合主责单位办理，并在时限内答复';
