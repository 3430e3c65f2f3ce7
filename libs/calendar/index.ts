export * from './deadline.js';
export * from './holidays.js';
export { endOfLondonDay, londonDate, londonTime, startOfLondonDay } from './london.js';
export * from './period.js';
export * from './working-day.js';
