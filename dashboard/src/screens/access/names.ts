/** Names that were typed with commas or spaces between them. */
export const splitNames = (text: string): string[] => [...new Set(text.split(/[,\s]+/).filter(Boolean))];
