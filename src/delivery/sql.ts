/** A tagged template for SQL, so that each value stands where it is bound. */
export interface Statement {
  text: string;
  values: SqlStorageValue[];
}

/** Builds a statement. Statements among the values are inserted; all other values are bound. */
export function sql(
  texts: TemplateStringsArray,
  ...values: (SqlStorageValue | undefined | Statement)[]
): Statement {
  const statement: Statement = { text: texts[0] ?? "", values: [] };
  values.forEach((value, index) => {
    const part = isStatement(value) ? value : { text: "?", values: [value ?? null] };
    statement.text += part.text + (texts[index + 1] ?? "");
    statement.values.push(...part.values);
  });
  return statement;
}

function isStatement(value: SqlStorageValue | undefined | Statement): value is Statement {
  return typeof value === "object" && value !== null && "text" in value;
}
