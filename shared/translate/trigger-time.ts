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
  if (isPlain(value)) return plainTime(value);
  const match = TIME.exec(value);
  if (match === null) return undefined;
  // these six groups are there in every match
  const numbers = match.slice(1, 7).map(Number) as SixNumbers;
  const fraction = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  const shift = (match[8] === "-" ? 1 : -1) * (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0));
  const time = timeOf(...numbers);
  return time === undefined ? undefined : time + shift * 60_000 + fraction;
}

function timeOf(...[year, month, day, hour, minute, second]: SixNumbers): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const clock = ((hour * 60 + minute) * 60 + second) * 1000;
  return daysFromCivil(year, month, day) * MS_PER_DAY + clock;
}

/** What stands for itself in `YYYY-MM-DDThh:mm:ss.fffZ`, the form of almost every time, which is read without the pattern. */
const PLAIN = "0000-00-00T00:00:00.000Z";
const ZERO = 48;

function isPlain(text: string): boolean {
  if (text.length !== PLAIN.length) return false;
  for (let i = 0; i < PLAIN.length; i += 1) {
    const wanted = PLAIN.charCodeAt(i);
    const code = text.charCodeAt(i);
    if (wanted === ZERO ? code < ZERO || code > ZERO + 9 : code !== wanted) return false;
  }
  return true;
}

function plainTime(text: string): number | undefined {
  const two = (at: number): number =>
    (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
  const time = timeOf(two(0) * 100 + two(2), two(5), two(8), two(11), two(14), two(17));
  return time === undefined ? undefined : time + two(20) * 10 + text.charCodeAt(22) - ZERO;
}
