const TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))?$/;
type SixNumbers = [number, number, number, number, number, number];
const MS_PER_DAY = 86_400_000;

/** Days since the Unix epoch of a date in the proleptic Gregorian calendar. */
function daysFromCivil(year: number, month: number, day: number): number {
  // the year begins in March, so that the leap day is its last
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function daysInMonth(year: number, month: number): number {
  // month 13 is reckoned as the January after
  return daysFromCivil(year, month + 1, 1) - daysFromCivil(year, month, 1);
}

/**
 * Milliseconds since the Unix epoch of an ISO 8601 time; one without a zone is UTC, as .NET writes it.
 * Digits past the millisecond are cut off. Undefined for anything else.
 */
export function timeFromTrigger(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  const match = TIME.exec(value);
  if (match === null) return undefined;
  // these six groups are there in every match
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as SixNumbers;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  const shift = (match[8] === "-" ? 1 : -1) * (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0));
  const clock = ((hour * 60 + minute + shift) * 60 + second) * 1000 + fraction;
  return daysFromCivil(year, month, day) * MS_PER_DAY + clock;
}
