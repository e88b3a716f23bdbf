// Loaded before the bridge: at every SIGUSR2 its wall clock is so many hours off.
const HOUR = 3_600_000;
const OFFSETS = [0.8 * HOUR, -9 * HOUR, 5 * HOUR, 0];
const RealDate = Date;
const realNow = Date.now.bind(Date);
let offset = 0;
let jumps = 0;

process.on("SIGUSR2", () => {
  offset = OFFSETS[jumps % OFFSETS.length];
  jumps += 1;
});

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(realNow() + offset);
    else super(...parts);
  }

  static now() {
    return realNow() + offset;
  }
};
