// What stands for the module that js_binary loads first.
process.env.BOOTSTRAPPED = "yes";
