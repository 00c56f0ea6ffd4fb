// Says what went wrong: in a sentence, with the statement that ClickHouse did not answer one click away.
import { AnswerError } from './api';

interface Props {
  error: Error;
  again?: () => void;
  // Of a panel: the page's status tells once how many panels failed, so that not each of them speaks up.
  quiet?: boolean;
}

export function Said({ error, again, quiet }: Props) {
  const sql = error instanceof AnswerError ? error.sql : '';
  return (
    <div className="said" role={quiet ? 'group' : 'alert'} aria-label={quiet ? 'Error' : undefined}>
      <p>{error.message}</p>
      {(again || sql) && (
        <div className="remedies">
          {again && <button type="button" onClick={again}>Try again</button>}
          {sql && (
            <details>
              <summary>SQL</summary>
              <pre tabIndex={0}>{sql}</pre>
            </details>
          )}
        </div>
      )}
    </div>
  );
}
