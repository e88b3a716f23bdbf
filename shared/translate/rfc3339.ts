const DAY_MS = 86_400_000;
/** 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: RFC 3339 has four digits for the year. */
const EARLIEST_MS = -62_167_219_200_000;
const LATEST_MS = 253_402_300_799_999;

/**
 * A time in milliseconds since the Unix epoch as RFC 3339 in UTC, such as `2026-11-21T08:30:00.000Z`; undefined outside the years
 * 0 to 9999. Arithmetic only: the core has no clock and no Date.
 */
export function rfc3339(milliseconds: number): string | undefined {
  if (!(milliseconds >= EARLIEST_MS && milliseconds <= LATEST_MS)) return undefined;
  const whole = Math.floor(milliseconds);
  const day = Math.floor(whole / DAY_MS);
  const inDay = whole - day * DAY_MS;
  const seconds = Math.floor(inDay / 1000);
  const hours = digits(Math.floor(seconds / 3600), 2);
  const minutes = digits(Math.floor(seconds / 60) % 60, 2);
  return `${civilDate(day)}T${hours}:${minutes}:${digits(seconds % 60, 2)}.${digits(inDay % 1000, 3)}Z`;
}

/** The proleptic Gregorian date `day` days after 1970-01-01, reckoned in eras of 400 years that begin on 1 March. */
function civilDate(day: number): string {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear =
    dayOfEra - 365 * yearOfEra - Math.floor(yearOfEra / 4) + Math.floor(yearOfEra / 100);
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const date = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(date, 2)}`;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
