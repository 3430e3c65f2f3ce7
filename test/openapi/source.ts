import { join, relative, sep } from 'node:path';
import ts from 'typescript';
import { REFUSALS } from '#kernel';
import type { JsonSchema } from '#command-bus';
import type { OpenApiFacts, RouteFacts } from '../../apps/engine/openapi.js';

/*
 * What the OpenAPI document says and only the source knows: the shapes of answers, which are types; which refusals
 * follow from which command, which is the way through a decider; and what the comments say. `npm run openapi` writes
 * it down; a test fails when it is behind.
 */

const HTTP_METHODS = new Set(['Get', 'Post', 'Put', 'Patch', 'Delete']);
/** Errors that the door answers with a status of their own. */
const WITH_STATUS = new Set([
  'AccessRefused',
  'GoneException',
  'InvalidCommand',
  'NotFoundException',
  'ReadModelBehind',
]);
const CODES = new Set(Object.keys(REFUSALS));

export function factsOfSource(root: string): OpenApiFacts {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram([join(root, 'apps/engine/engine.module.ts')], options);
  return new Source(program, root).facts();
}

class Source {
  readonly #checker: ts.TypeChecker;
  readonly #schemas = new Map<string, { readonly type: ts.Type; schema: JsonSchema }>();
  readonly #commands = new Set<string>();
  readonly #open = new Set<ts.Type>();

  constructor(
    private readonly program: ts.Program,
    private readonly root: string,
  ) {
    this.#checker = program.getTypeChecker();
  }

  facts(): OpenApiFacts {
    const files = this.program.getSourceFiles().filter((file) => this.#isOurs(file));
    const slices = files.flatMap((file) => this.#slicesIn(file));
    for (const { commands } of slices) for (const command of commands) this.#commands.add(nameOf(command));
    // What every command passes before its decider: the door itself, and the rules that capabilities bring to it.
    const door = new Reached(this.#checker, this.#commands, '', (file) => this.#isOurs(file));
    for (const each of files.flatMap((file) => classesIn(file)))
      if (['CommandDoor', 'SliceRunner'].includes(nameOf(each))) each.members.forEach((member) => door.walk(member));
    for (const file of files)
      for (const { type, initializer } of everyIn(file, ts.isVariableDeclaration))
        if (type?.getText() === 'DoorRule' && initializer) door.walk(initializer);
    const routes = files.flatMap((file) => classesIn(file)).flatMap((each) => this.#routesOf(each));
    return {
      commands: sorted(
        slices.flatMap(({ commands, decided }) =>
          commands.map((command) => {
            const reached = new Reached(this.#checker, this.#commands, nameOf(command), (file) => this.#isOurs(file));
            decided.forEach((node) => reached.walk(node));
            return [nameOf(command), { ...this.#saidOf(command), refusals: [...reached.codes].sort() }] as const;
          }),
        ),
      ),
      everyCommand: [...door.codes].sort(),
      routes: sorted(routes),
      schemas: sorted([...this.#schemas].map(([name, { schema }]) => [name, schema] as const)),
    };
  }

  #isOurs(file: ts.SourceFile): boolean {
    const path = relative(this.root, file.fileName);
    return (path.startsWith(`libs${sep}`) || path.startsWith(`apps${sep}`)) && !file.isDeclarationFile;
  }

  /** The slices of a capability: the commands of each, and the code that decides about them. */
  #slicesIn(file: ts.SourceFile): { commands: ts.ClassDeclaration[]; decided: ts.Node[] }[] {
    if (!file.fileName.endsWith('.capability.ts')) return [];
    return everyIn(file, ts.isCallExpression)
      .filter(({ expression }) => ts.isIdentifier(expression) && expression.text === 'slice')
      .map(({ arguments: [definition] }) => {
        if (!definition || !ts.isObjectLiteralExpression(definition)) throw new Error(`${file.fileName}: slice(...)`);
        const part = (name: string): ts.Node | undefined =>
          definition.properties.find((each) => each.name?.getText() === name);
        const decider = this.#decideOf(part('decider'));
        const [commands, lookUp, facts] = [part('commands'), part('lookUp'), part('facts')];
        if (!decider || !commands) throw new Error(`${file.fileName}: a slice without decider or commands`);
        return {
          commands: [...new Set(everyIn(commands, ts.isIdentifier).flatMap((each) => this.#commandClassOf(each)))],
          decided: [decider, ...(lookUp ? [lookUp] : []), ...(facts ? [facts] : [])],
        };
      });
  }

  #commandClassOf(identifier: ts.Identifier): readonly ts.ClassDeclaration[] {
    const declared = resolved(this.#checker, identifier)?.valueDeclaration;
    if (!declared || !ts.isClassDeclaration(declared)) return [];
    return this.#checker.getTypeAtLocation(declared).getProperty('commandId') ? [declared] : [];
  }

  /** The `decide` of a decider that is written as an object; else the whole expression. */
  #decideOf(property: ts.Node | undefined): ts.Node | undefined {
    if (!property) return undefined;
    const value = ts.isPropertyAssignment(property) ? property.initializer : property;
    const symbol = ts.isIdentifier(value)
      ? resolved(this.#checker, value)
      : ts.isShorthandPropertyAssignment(value)
        ? resolvedAlias(this.#checker, this.#checker.getShorthandAssignmentValueSymbol(value))
        : undefined;
    const declared = symbol?.valueDeclaration;
    if (!declared || !ts.isVariableDeclaration(declared) || !declared.initializer) return value;
    const { initializer } = declared;
    if (!ts.isObjectLiteralExpression(initializer)) return initializer;
    return initializer.properties.find((each) => each.name?.getText() === 'decide') ?? initializer;
  }

  #routesOf(controller: ts.ClassDeclaration): readonly (readonly [string, RouteFacts])[] {
    if (!decoratorNames(controller).includes('Controller')) return [];
    const about = commentOf(this.#checker, controller);
    return controller.members.filter(ts.isMethodDeclaration).flatMap((method) => {
      if (!decoratorNames(method).some((name) => HTTP_METHODS.has(name))) return [];
      const signature = this.#checker.getSignatureFromDeclaration(method);
      if (!signature) return [];
      const returned = this.#checker.getReturnTypeOfSignature(signature);
      const answer = this.#checker.getAwaitedType(returned) ?? returned;
      const parts = answer.isUnion() ? answer.types : [answer];
      const refusable = parts.filter((part) => part.symbol?.name === 'Refused');
      const kept = parts.filter((part) => !refusable.includes(part) && !(part.flags & ts.TypeFlags.Void));
      const reached = new Reached(this.#checker, this.#commands, '', (file) => this.#isOurs(file));
      if (method.body) reached.walk(method.body);
      const comment = commentOf(this.#checker, method) || about;
      return [
        [
          `${nameOf(controller)}.${method.name.getText()}`,
          {
            capability: capabilityOf(this.root, controller.getSourceFile()),
            ...(comment !== '' && { comment }),
            ...(kept.length > 0 && {
              answer: kept.length === 1 ? this.#schema(kept[0]!) : { anyOf: kept.map((part) => this.#schema(part)) },
            }),
            ...(reached.read !== undefined && { reads: reached.read }),
            ...(refusable.length > 0 && { submits: [...reached.submitted].sort() }),
            throws: [...reached.thrown].sort(),
          },
        ] as const,
      ];
    });
  }

  #saidOf(command: ts.ClassDeclaration): { comment?: string; fields: Readonly<Record<string, string>> } {
    const comment = commentOf(this.#checker, command);
    const type = this.#checker.getTypeAtLocation(command);
    const fields = type.getProperties().flatMap((property) => {
      const said = ts.displayPartsToString(property.getDocumentationComment(this.#checker)).replaceAll('\n', ' ');
      return said === '' || ['actor', 'type'].includes(property.name) ? [] : [[property.name, said] as const];
    });
    return { ...(comment !== '' && { comment }), fields: sorted(fields) };
  }

  /** The schema of what JSON makes of a value of this type. */
  #schema(type: ts.Type): JsonSchema {
    const named = type.aliasSymbol ?? type.symbol;
    if (named?.name === 'Instant' && type.isIntersection()) return { type: 'string', format: 'date-time' };
    if (type.isUnion() && !type.aliasSymbol) return this.#unnamed(type);
    if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {};
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (type.flags & ts.TypeFlags.BooleanLiteral) return { const: this.#checker.typeToString(type) === 'true' };
    if (type.flags & ts.TypeFlags.StringLike) return { type: 'string' };
    if (type.flags & ts.TypeFlags.NumberLike) return { type: 'number' };
    if (type.flags & ts.TypeFlags.BooleanLike) return { type: 'boolean' };
    if (type.flags & ts.TypeFlags.Null) return { type: 'null' };
    if (type.flags & ts.TypeFlags.NonPrimitive) return { type: 'object' };
    if (type.isIntersection() && type.types.some((part) => part.flags & ts.TypeFlags.StringLike))
      return { type: 'string' };
    if (this.#checker.isTupleType(type)) {
      const items = this.#checker.getTypeArguments(type as ts.TypeReference);
      return {
        type: 'array',
        prefixItems: items.map((item) => this.#schema(item)),
        minItems: items.length,
        items: false,
      };
    }
    if (this.#checker.isArrayType(type)) {
      const [item] = this.#checker.getTypeArguments(type as ts.TypeReference);
      return { type: 'array', items: item ? this.#schema(item) : {} };
    }
    const at = named?.declarations?.[0];
    if (!at || !this.#isOurs(at.getSourceFile()) || named.name.startsWith('__') || isGeneric(type))
      return this.#unnamed(type);
    const name = `${capabilityOf(this.root, at.getSourceFile())}.${named.name}`;
    const known = this.#schemas.get(name);
    if (known && known.type !== type) throw new Error(`two types are called ${name}`);
    if (!known) {
      const entry = { type, schema: {} as JsonSchema };
      this.#schemas.set(name, entry);
      entry.schema = this.#unnamed(type);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #unnamed(type: ts.Type): JsonSchema {
    // Without a name there is nothing to refer to from within.
    if (this.#open.has(type)) return {};
    this.#open.add(type);
    const schema = type.isUnion() ? this.#union(type) : this.#object(type);
    this.#open.delete(type);
    return schema;
  }

  #union(type: ts.UnionType): JsonSchema {
    const parts = type.types.filter((part) => !(part.flags & ts.TypeFlags.Undefined));
    if (type.flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
    const literals = parts.filter((part) => part.isStringLiteral());
    const booleans = parts.filter((part) => part.flags & ts.TypeFlags.BooleanLiteral);
    const others = parts.filter((part) => !literals.includes(part as ts.StringLiteralType) && !booleans.includes(part));
    const schemas = [
      ...(literals.length > 0 ? [{ type: 'string', enum: literals.map(({ value }) => value).sort() }] : []),
      ...(booleans.length === 2 ? [{ type: 'boolean' }] : booleans.map((part) => this.#schema(part))),
      ...others.map((part) => this.#schema(part)),
    ];
    return schemas.length === 1 ? schemas[0]! : { anyOf: schemas };
  }

  #object(type: ts.Type): JsonSchema {
    const index = this.#checker.getIndexTypeOfType(type, ts.IndexKind.String);
    if (index) return { type: 'object', additionalProperties: this.#schema(index) };
    const properties = type.getProperties();
    return {
      type: 'object',
      properties: Object.fromEntries(
        properties.map((property) => {
          const schema = this.#schema(this.#checker.getTypeOfSymbol(property));
          const said = ts.displayPartsToString(property.getDocumentationComment(this.#checker)).replaceAll('\n', ' ');
          return [property.name, said === '' ? schema : { ...schema, description: said }];
        }),
      ),
      required: properties.filter((property) => !(property.flags & ts.SymbolFlags.Optional)).map(({ name }) => name),
    };
  }
}

/**
 * Everything that is reached from a piece of code when a given command is decided: what other functions it uses is
 * followed, and the branches of other commands are left out. It takes in too much rather than too little.
 */
class Reached {
  readonly codes = new Set<string>();
  readonly thrown = new Set<string>();
  readonly submitted = new Set<string>();
  read: string | undefined;
  readonly #seen = new Set<ts.Node>();

  constructor(
    private readonly checker: ts.TypeChecker,
    private readonly commands: ReadonlySet<string>,
    private readonly command: string,
    private readonly isOurs: (file: ts.SourceFile) => boolean,
  ) {}

  walk(node: ts.Node): void {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isStringLiteralLike(node)) {
      if (CODES.has(node.text) && !isCompared(node)) this.codes.add(node.text);
      return;
    }
    if (ts.isBlock(node)) return this.#statements(node.statements);
    if (ts.isSwitchStatement(node)) return this.#switch(node);
    if (ts.isIfStatement(node)) {
      const about = this.#isAbout(node.expression);
      if (about === undefined) this.walk(node.expression);
      if (about !== false) this.walk(node.thenStatement);
      if (about !== true && node.elseStatement) this.walk(node.elseStatement);
      return;
    }
    if (ts.isConditionalExpression(node)) {
      const about = this.#isAbout(node.condition);
      if (about === undefined) this.walk(node.condition);
      if (about !== false) this.walk(node.whenTrue);
      if (about !== true) this.walk(node.whenFalse);
      return;
    }
    if (ts.isNewExpression(node) && WITH_STATUS.has(node.expression.getText()))
      this.thrown.add(node.expression.getText());
    if (ts.isCallExpression(node)) this.#call(node);
    if (ts.isIdentifier(node)) return this.#follow(resolved(this.checker, node));
    if (ts.isShorthandPropertyAssignment(node))
      return this.#follow(resolvedAlias(this.checker, this.checker.getShorthandAssignmentValueSymbol(node)));
    if (ts.isPropertyAccessExpression(node)) {
      this.walk(node.expression);
      return this.#follow(this.checker.getSymbolAtLocation(node.name));
    }
    if (ts.isPropertyAssignment(node)) return this.walk(node.initializer);
    ts.forEachChild(node, (child) => this.walk(child));
  }

  #call(node: ts.CallExpression): void {
    const [first, second] = node.arguments;
    const called = ts.isPropertyAccessExpression(node.expression)
      ? node.expression.name.text
      : node.expression.getText();
    if (called === 'submit' && first && ts.isStringLiteral(first)) this.submitted.add(first.text);
    if (called !== 'readBody' || !first || !second || !ts.isIdentifier(first)) return;
    const shape = resolved(this.checker, first)?.valueDeclaration;
    if (shape && ts.isClassDeclaration(shape)) this.read ??= first.text;
  }

  #statements(statements: readonly ts.Statement[]): void {
    for (const statement of statements) {
      this.walk(statement);
      // What stands after `if (command.type === ...) return ...` is not about this command.
      if (
        ts.isIfStatement(statement) &&
        this.#isAbout(statement.expression) === true &&
        leaves(statement.thenStatement)
      )
        return;
    }
  }

  #switch({ expression, caseBlock }: ts.SwitchStatement): void {
    this.walk(expression);
    const label = (clause: ts.CaseOrDefaultClause): string | undefined =>
      ts.isCaseClause(clause) && ts.isStringLiteralLike(clause.expression) ? clause.expression.text : undefined;
    const labels = caseBlock.clauses.map(label);
    const aboutCommands = this.command !== '' && labels.some((each) => each !== undefined && this.commands.has(each));
    const own = labels.includes(this.command);
    let falling = false;
    caseBlock.clauses.forEach((clause, index) => {
      const taken = !aboutCommands || labels[index] === this.command || (!own && labels[index] === undefined);
      if (!taken && !falling) return;
      this.#statements(clause.statements);
      falling = aboutCommands && !clause.statements.some(leaves);
    });
  }

  /** Whether a condition says that the command is this one, or another; `undefined` when it says neither. */
  #isAbout(condition: ts.Expression): boolean | undefined {
    if (this.command === '' || !ts.isBinaryExpression(condition)) return undefined;
    const { left, right, operatorToken } = condition;
    const equal = operatorToken.kind === ts.SyntaxKind.EqualsEqualsEqualsToken;
    if (!equal && operatorToken.kind !== ts.SyntaxKind.ExclamationEqualsEqualsToken) return undefined;
    if (!ts.isPropertyAccessExpression(left) || left.name.text !== 'type' || !ts.isStringLiteral(right))
      return undefined;
    if (!this.commands.has(right.text)) return undefined;
    return (right.text === this.command) === equal;
  }

  #follow(symbol: ts.Symbol | undefined): void {
    for (const declared of symbol?.declarations ?? []) {
      const file = declared.getSourceFile();
      // The catalogue itself names every code, and Nest's classes none.
      if (this.#seen.has(declared) || !this.isOurs(file) || /kernel[\\/]refusal\.ts$/.test(file.fileName)) continue;
      const body =
        ts.isFunctionDeclaration(declared) || ts.isMethodDeclaration(declared) || ts.isGetAccessor(declared)
          ? declared.body
          : ts.isVariableDeclaration(declared) || ts.isPropertyAssignment(declared)
            ? declared.initializer
            : undefined;
      if (!body) continue;
      this.#seen.add(declared);
      this.walk(body);
    }
  }
}

const isCompared = ({ parent }: ts.Node): boolean =>
  (ts.isBinaryExpression(parent) && /^[!=]==$/.test(parent.operatorToken.getText())) || ts.isCaseClause(parent);

const leaves = (statement: ts.Statement): boolean =>
  ts.isReturnStatement(statement) ||
  ts.isThrowStatement(statement) ||
  ts.isBreakStatement(statement) ||
  (ts.isBlock(statement) && statement.statements.some(leaves));

/** An instance of a generic type has no name of its own. */
const isGeneric = (type: ts.Type): boolean =>
  (type.aliasTypeArguments?.length ?? 0) > 0 || ((type as ts.TypeReference).typeArguments?.length ?? 0) > 0;

const resolved = (checker: ts.TypeChecker, node: ts.Node): ts.Symbol | undefined =>
  resolvedAlias(checker, checker.getSymbolAtLocation(node));
const resolvedAlias = (checker: ts.TypeChecker, symbol: ts.Symbol | undefined): ts.Symbol | undefined =>
  symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

const nameOf = (declared: ts.ClassDeclaration): string => declared.name?.text ?? '';

const classesIn = (file: ts.SourceFile): readonly ts.ClassDeclaration[] =>
  file.statements.filter(ts.isClassDeclaration);

const decoratorNames = (node: ts.HasDecorators): readonly string[] =>
  (ts.getDecorators(node) ?? []).map(({ expression }) =>
    (ts.isCallExpression(expression) ? expression.expression : expression).getText(),
  );

function commentOf(checker: ts.TypeChecker, node: ts.ClassDeclaration | ts.MethodDeclaration): string {
  const symbol = node.name && checker.getSymbolAtLocation(node.name);
  const text = ts.displayPartsToString(symbol?.getDocumentationComment(checker)).replaceAll('\n', ' ');
  // Links of the source lead nowhere in a document.
  return text.replaceAll(/\{@link (\S+)\}/g, '$1').trim();
}

function capabilityOf(root: string, file: ts.SourceFile): string {
  const [, folder = ''] = relative(root, file.fileName).split(sep);
  return folder;
}

function everyIn<T extends ts.Node>(root: ts.Node, is: (node: ts.Node) => node is T): readonly T[] {
  const found: T[] = [];
  const walk = (node: ts.Node): void => {
    if (is(node)) found.push(node);
    ts.forEachChild(node, walk);
  };
  walk(root);
  return found;
}

const sorted = <T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
