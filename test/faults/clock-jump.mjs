// Loaded before the bridge: at every SIGUSR2 its wall clock jumps, by hours forward or back.
const HOUR = 3_600_000;
const JUMPS = [5 * HOUR, -9 * HOUR, 24 * HOUR, -HOUR];
const RealDate = Date;
const realNow = Date.now.bind(Date);
let offset = 0;
let jumps = 0;

process.on("SIGUSR2", () => {
  offset += JUMPS[jumps % JUMPS.length];
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
