import { expect, it } from 'vitest';
import { calendarDay } from '../../src/domain/calendar.js';

const dayOf = (moment: string, zone = 'UTC') => Object.values(calendarDay(Date.parse(moment), zone)).join(' ');

it('a moment has the day that the clocks of the zone show', () => {
  expect(dayOf('2026-11-24T02:59:59Z', 'America/Sao_Paulo')).toBe('2026-11-23 2026-W48 2026-11 2026');
  expect(dayOf('2026-11-24T03:00:00Z', 'America/Sao_Paulo')).toBe('2026-11-24 2026-W48 2026-11 2026');
  expect(dayOf('2025-12-31T10:00:00Z', 'Pacific/Kiritimati')).toBe('2026-01-01 2026-W01 2026-01 2026');
});

it('days have 23, 24 or 25 hours where clocks change', () => {
  // Berlin's begin at 23:00 the day before in winter, at 22:00 in summer.
  const zone = 'Europe/Berlin';
  expect(dayOf('2026-03-28T23:00:00Z', zone)).toMatch(/^2026-03-29/);
  expect(dayOf('2026-03-29T21:59:59Z', zone)).toMatch(/^2026-03-29/);
  expect(dayOf('2026-03-29T22:00:00Z', zone)).toMatch(/^2026-03-30/);
  expect(dayOf('2026-10-24T22:00:00Z', zone)).toMatch(/^2026-10-25/);
  expect(dayOf('2026-10-25T22:59:59Z', zone)).toMatch(/^2026-10-25/);
  expect(dayOf('2026-10-25T23:00:00Z', zone)).toMatch(/^2026-10-26/);
});

it.each([
  ['2024-12-29', '2024-W52'],
  ['2024-12-30', '2025-W01'],
  ['2026-12-31', '2026-W53'],
  ['2027-01-03', '2026-W53'],
  ['2027-01-04', '2027-W01'],
])('%s lies in the ISO week %s', (day, week) => {
  expect(calendarDay(Date.parse(`${day}T12:00:00Z`), 'UTC').week).toBe(week);
});
