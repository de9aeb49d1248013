// One call's whole life by jambonz's own client: `node drive.cjs BASE_URL ACCOUNT_SID API_KEY APPLICATION_SID NUMBER`.
// Prints what the client made of each answer, as one JSON object.
const {Jambonz} = require('@jambonz/node-client');

const [baseUrl, accountSid, apiKey, applicationSid, number] = process.argv.slice(2);
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function retrieveOnceIn(calls, sid, status) {
  for (let call; ; await wait(10)) {
    call = await calls.retrieve(sid);
    if (call.call_status === status) return call;
  }
}

async function main() {
  const {calls} = new Jambonz(accountSid, apiKey, {baseUrl});
  const sid = await calls.create({
    application_sid: applicationSid,
    from: '+12125550000',
    to: {type: 'phone', number},
    tag: {attempt_id: 'attempt-1'}
  });
  const listed = await calls.list();
  const talking = await retrieveOnceIn(calls, sid, 'in-progress');
  await calls.update(sid, {call_status: 'completed'});
  const over = await retrieveOnceIn(calls, sid, 'completed');
  await calls.delete(sid);
  const gone = await calls.retrieve(sid).catch((error) => error.message);
  process.stdout.write(JSON.stringify({sid, listed, talking, over, gone}));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
