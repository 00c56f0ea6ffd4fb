// Says what went wrong: in a sentence, with the statement that ClickHouse did not answer one click away.
import { AnswerError } from './api';

export function Said({ error, again }: { error: Error; again?: () => void }) {
  const sql = error instanceof AnswerError ? error.sql : '';
  return (
    <div className="said" role="alert">
      <p>{error.message}</p>
      {again && <button type="button" onClick={again}>Try again</button>}
      {sql && (
        <details>
          <summary>SQL</summary>
          <pre tabIndex={0}>{sql}</pre>
        </details>
      )}
    </div>
  );
}
