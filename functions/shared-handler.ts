import type { RecordHandler } from "../shared/compose.ts";
import { BridgeError } from "../shared/errors.ts";

/** One record handler per route and process, opened by the first invocation that needs it. */
export class SharedHandler {
  private readonly openOne: () => Promise<RecordHandler>;
  private opening: Promise<RecordHandler> | undefined;
  private current: RecordHandler | undefined;
  private stopped = false;

  constructor(openOne: () => Promise<RecordHandler>) {
    this.openOne = openOne;
  }

  /** The handler when it is open, for its status. */
  get opened(): RecordHandler | undefined {
    return this.current;
  }

  /** The open handler. What failed to open is opened again by the next call. @throws BridgeError when it cannot be opened. */
  open(): Promise<RecordHandler> {
    if (this.stopped) {
      return Promise.reject(
        new BridgeError("STOPPED", "Cannot deliver: the app is shutting down", { retryable: true }),
      );
    }
    this.opening ??= this.first();
    return this.opening;
  }

  private async first(): Promise<RecordHandler> {
    try {
      this.current = await this.openOne();
      return this.current;
    } catch (cause) {
      this.opening = undefined;
      throw cause;
    }
  }

  /** Closes what is open and lets nothing open again. */
  async stop(): Promise<void> {
    this.stopped = true;
    const opened = await this.opening?.catch(() => undefined);
    await opened?.stop();
  }
}
