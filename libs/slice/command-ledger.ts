import type { ReadModels } from '#read-model';
import { commandLedgerProjection } from './refusal-log.js';
import type { CommandLedger } from './runner.js';

interface CommandRow {
  readonly stream: string;
  readonly fingerprint: string;
  readonly answer_event: string;
  readonly revision: number;
}

/** The ledger of answered commands as the read models hold it: one indexed look-up for a command. */
export function commandLedgerIn(readModels: ReadModels): CommandLedger {
  return {
    find(commandId) {
      const [row] = readModels.rows<CommandRow>(commandLedgerProjection, 'commands', { command_id: commandId });
      return Promise.resolve(
        row && {
          stream: row.stream,
          fingerprint: row.fingerprint,
          answerEvent: row.answer_event,
          revision: row.revision,
        },
      );
    },
  };
}
