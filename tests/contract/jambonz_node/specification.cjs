// Prints jambonz's published description of a create and its parts: name -> {properties, required}.
const specifications = require('@jambonz/verb-specifications/specs.json');

const wanted = ['rest:dial', 'target', 'amd', 'amdTimers'];
process.stdout.write(JSON.stringify(Object.fromEntries(wanted.map((name) => [name, specifications[name]]))));
