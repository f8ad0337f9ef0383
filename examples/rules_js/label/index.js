/** The length of the bar that stands for a word, in pixels. */
export const text = (word) => String(Math.min(136, 8 * String(word).length));
