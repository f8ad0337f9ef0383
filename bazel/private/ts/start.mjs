// What a program's bundle is made of: ts_binary gives both names their files.
import "slipway-stack-trace";
import "slipway-program";
